"""What people and programs use a trained model with: a page and an HTTP service; both use only the predictor."""
