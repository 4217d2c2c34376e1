-- The databases with their users, as operations/bootstrap makes them in production: who migrates owns the schema,
-- the service has its rows. Passwords are for development; only the compose network reaches this server.
create role orders_migration login password 'development-orders-migration';
create role orders login password 'development-orders';
create database orders owner orders_migration encoding 'UTF8' template template0;
revoke all on database orders from public;
grant connect on database orders to orders;

create role products_migration login password 'development-products-migration';
create role products login password 'development-products';
create database products owner products_migration encoding 'UTF8' template template0;
revoke all on database products from public;
grant connect on database products to products;

\connect orders
alter schema public owner to orders_migration;
revoke all on schema public from public;
grant usage on schema public to orders;
alter default privileges for role orders_migration grant select, insert, update, delete on tables to orders;
alter default privileges for role orders_migration grant usage, select on sequences to orders;

\connect products
alter schema public owner to products_migration;
revoke all on schema public from public;
grant usage on schema public to products;
alter default privileges for role products_migration grant select, insert, update, delete on tables to products;
alter default privileges for role products_migration grant usage, select on sequences to products;
