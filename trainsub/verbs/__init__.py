"""What the verbs do, one module each, over a Session. No verb imports another; nothing here prints."""
