//! Makes Rust of `proto/`, without any program that would have to be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = "proto/externalscaler.proto";
    println!("cargo::rerun-if-changed={file}");
    let descriptors = protox::compile([file], ["proto"])?;
    // Without a transport: tests bring their own connection, and the server calls nobody.
    tonic_prost_build::configure().build_transport(false).compile_fds(descriptors)?;
    Ok(())
}
