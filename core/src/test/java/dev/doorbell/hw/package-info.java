/// What tests of hardware share.
@NullMarked
package dev.doorbell.hw;

import org.jspecify.annotations.NullMarked;
