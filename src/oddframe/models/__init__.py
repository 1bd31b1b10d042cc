"""One file a detector, and the contract that they keep."""
