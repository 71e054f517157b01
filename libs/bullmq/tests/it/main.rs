//! Against real servers and a real npm `bullmq`, both ways.

mod alone;
mod control;
mod flows;
mod mixed;
mod npm_to_ours;
mod ours_to_npm;
mod prefetch;
mod recovery;
mod storm;
mod support;
mod table;
mod watch;
