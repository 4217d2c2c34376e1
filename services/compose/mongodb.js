// The user service may read and write its own database, and make its indexes.
db.getSiblingDB("users").createUser({
  user: "user",
  pwd: "development-user",
  roles: [{ role: "readWrite", db: "users" }],
});
