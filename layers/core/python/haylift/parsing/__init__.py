"""Files to blocks of text; runs in a child process under limits (`python -m haylift.parsing`)."""
