@NullMarked
package dev.doorbell.vmsa;

import org.jspecify.annotations.NullMarked;
