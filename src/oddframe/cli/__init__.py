"""The command line: each verb reads its arguments, calls one public function, and prints what it returns."""
