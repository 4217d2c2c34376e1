"""The three flows of the shop, walked through the gateway as a customer would: `make services-demo`."""
