//! Random numbers that are equal on every machine: integer steps, and only the operations that IEEE 754 fixes to the bit.
//!
//! Generators: SplitMix64 for the seed, xoshiro256++ (Blackman and Vigna, prng.di.unimi.it) for the rest.

use std::f64::consts::{LN_2, SQRT_2};

/// A seeded source of random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        let mut mixed = seed;
        let state = std::array::from_fn(|_| {
            mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        });
        Self { state }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// Evenly spread over [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Exponential with mean 1: gaps of a Poisson process.
    pub fn gap(&mut self) -> f64 {
        -ln(1.0 - self.unit())
    }

    /// Normal with mean 0 and deviation 1, by Marsaglia's polar method.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * ln(square) / square).sqrt();
            }
        }
    }
}

/// Log-normal numbers of a stated mean and coefficient of variation.
#[derive(Clone, Copy, Debug)]
pub struct LogNormal {
    mu: f64,
    sigma: f64,
}

impl LogNormal {
    /// Of this mean and this deviation over mean.
    pub fn new(mean: f64, variation: f64) -> Self {
        let variance = ln(1.0 + variation * variation);
        Self { mu: ln(mean) - variance / 2.0, sigma: variance.sqrt() }
    }

    /// Draws one.
    pub fn draw(&self, random: &mut Random) -> f64 {
        exp(self.mu + self.sigma * random.normal())
    }
}

/// Natural logarithm; the system's own differs in the last bit between machines. For normal positive numbers.
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i32 - 1023;
    let mut mantissa = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000);
    if mantissa > SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)); the argument is at most 0.172, so that 10 terms reach the last bits.
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    let series = (0..10).rev().fold(0.0, |sum, term| sum * square + 1.0 / f64::from(2 * term + 1));
    f64::from(exponent) * LN_2 + 2.0 * t * series
}

/// Exponential function, for the same reason. For arguments whose result is a normal number.
fn exp(x: f64) -> f64 {
    let whole = (x / LN_2).round().clamp(-1000.0, 1000.0);
    let rest = x - whole * LN_2;
    let series = (1..=14).rev().fold(1.0, |sum, term| 1.0 + sum * rest / f64::from(term));
    series * f64::from_bits(((whole as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_reference() {
        // xoshiro256++ over SplitMix64(0), as in the reference implementation of both.
        let mut random = Random { state: [1, 2, 3, 4] };
        let first: Vec<u64> = (0..5).map(|_| random.bits()).collect();
        assert_eq!(first, [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205]);
        assert_eq!(Random::new(0).state[0], 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn logarithm_and_exponential_agree_with_the_systems_to_the_last_digits() {
        for x in [1e-12, 0.001, 0.3, 0.999, 1.0, 1.4, 1.5, 2.0, 10.0, 12345.678, 1e15] {
            assert!((ln(x) - f64::ln(x)).abs() <= 1e-14 * f64::ln(x).abs().max(1.0), "{x}");
        }
        for x in [-20.0, -1.0, -0.1, 0.0, 0.5, 1.0, 7.7, 30.0] {
            assert!((exp(x) / f64::exp(x) - 1.0).abs() < 1e-13, "{x}");
        }
    }

    #[test]
    fn means_and_deviations_are_as_stated() {
        let mut random = Random::new(7);
        let (count, run) = (200_000, LogNormal::new(0.5, 1.0));
        let drawn: Vec<f64> = (0..count).map(|_| run.draw(&mut random)).collect();
        let mean = drawn.iter().sum::<f64>() / f64::from(count);
        let variance = drawn.iter().map(|it| (it - mean) * (it - mean)).sum::<f64>() / f64::from(count);
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.05, "{variance}");
        let gaps = (0..count).map(|_| random.gap()).sum::<f64>() / f64::from(count);
        assert!((gaps - 1.0).abs() < 0.01, "{gaps}");
    }
}
