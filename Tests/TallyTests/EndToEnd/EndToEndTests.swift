// SPDX-License-Identifier: Apache-2.0

import Testing

/// What starts real processes. One test at a time: each has the machine to itself, so that its limits of time mean
/// something.
@Suite("The program, from outside", .serialized)
enum EndToEndTests {}
