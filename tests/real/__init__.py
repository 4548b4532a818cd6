"""What real kernels did, as tests: rows of a file in the format of real-kernels.md become scenarios of ours."""
