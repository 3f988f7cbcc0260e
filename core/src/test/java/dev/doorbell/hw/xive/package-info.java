/// Tests of the interrupt controller XIVE.
@org.jspecify.annotations.NullMarked
package dev.doorbell.hw.xive;
