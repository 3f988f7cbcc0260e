/// Tests of the virtual machine monitor, as far as they need no Arm host; the lab runs it on one.
@NullMarked
package dev.doorbell.vmm;

import org.jspecify.annotations.NullMarked;
