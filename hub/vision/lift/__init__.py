"""What is carried into a lift car: e-bikes where a model knows them, and else no more than that something is bulky."""
