"""What cameras are read from: libav's streams and files, and folders of pictures that grow."""
