//! Side-by-side benchmarks against real peers; each is a program in `examples/` that prints both figures and the ratio.
