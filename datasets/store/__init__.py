"""The chunk store: one HDF5 file a recording and an index."""
