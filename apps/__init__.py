"""Programs that use a trained model through the predictor: a page, an HTTP service and a command line."""
