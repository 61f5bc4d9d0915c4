"""A community of many devices over ten integrations: their far ends, their site, and what a program sees of them."""
