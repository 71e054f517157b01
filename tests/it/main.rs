//! End-to-end scenarios, one binary. To add one: write its file, then name it here.

mod architecture;
