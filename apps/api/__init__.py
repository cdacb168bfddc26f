"""`make api`: the model behind HTTP."""
