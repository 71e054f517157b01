#![allow(dead_code)]
mod store;
