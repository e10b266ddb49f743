"""The exported folder of C99."""
