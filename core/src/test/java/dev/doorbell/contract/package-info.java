/// The contract of the MSI window on whole machines: random sequences against a plain reference, and faults that it must catch.
@NullMarked
package dev.doorbell.contract;

import org.jspecify.annotations.NullMarked;
