/// Addresses of four kinds, inclusive ranges, granules and interval sets.
@NullMarked
package dev.doorbell.address;

import org.jspecify.annotations.NullMarked;
