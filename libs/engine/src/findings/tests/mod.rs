mod declared;
mod devices;
mod habit;
mod limits;
mod readings;
mod sequence;
mod values;
