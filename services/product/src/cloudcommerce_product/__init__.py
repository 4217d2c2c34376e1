"""The product service: catalog, search and stock of CloudCommerce."""
