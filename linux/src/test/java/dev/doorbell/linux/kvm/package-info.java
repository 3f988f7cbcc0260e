/// Tests of KVM, on the running machine's own where it has one.
@NullMarked
package dev.doorbell.linux.kvm;

import org.jspecify.annotations.NullMarked;
