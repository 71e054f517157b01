//! Against real servers and a real npm `bullmq`, both ways.

mod alone;
mod control;
mod mixed;
mod npm_to_ours;
mod ours_to_npm;
mod recovery;
mod support;
mod table;
