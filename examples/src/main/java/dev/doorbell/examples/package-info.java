/// Programs on the public API, run by the build.
@NullMarked
package dev.doorbell.examples;

import org.jspecify.annotations.NullMarked;
