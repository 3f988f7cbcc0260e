package dev.doorbell.irq;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// What an interrupt of x86 asks of a local APIC beside the destination, as the low half of the interrupt command register (ICR) has it. Vector
/// and delivery mode lie where a message's datum has them, too.
///
/// **Source** Intel SDM volume 3, 11.6.1 Interrupt Command Register (ICR).
public final class X86CommandLayout {
  private static final ValueNames MODES =
      ValueNames.of(0, "fixed", 1, "lowest priority", 2, "SMI", 4, "NMI", 5, "INIT", 6, "start-up");
  private static final Layout L = Layout.lsb0("ICR[31:0]", 4);

  // spotless:off
  public static final Field VECTOR        = L.bits("Vector",                 7,  0);
  public static final Field DELIVERY_MODE = L.bits("Delivery Mode",         10,  8, MODES);
  public static final Field LOGICAL       = L.bit ("Destination Mode",      11, ValueNames.of(0, "physical", 1, "logical"));
  // spotless:on

  public static final Layout LOW = L.ignored(31, 12).seal();

  /// Delivery mode: to every processor of the destination.
  public static final int FIXED = 0;

  /// Delivery mode: to the one of the destination that has the least urgent work.
  public static final int LOWEST_PRIORITY = 1;

  private X86CommandLayout() {}

  /// {@return the delivery mode under the redirection hint, which chooses among the processors of a logical destination; what is neither fixed nor
  /// of lowest priority, and what has one processor as its destination, stays as it is}
  public static int redirected(int mode, boolean hint, boolean logical) {
    return hint && logical && mode == FIXED ? LOWEST_PRIORITY : mode;
  }

  /// {@return what a message asks for that nothing remaps}
  public static int ofMessage(long address, int data) {
    boolean logical = X86MessageLayout.MODE.isSet(address);
    int mode =
        redirected(
            X86MessageLayout.DELIVERY_MODE.getInt(data),
            X86MessageLayout.REDIRECTION.isSet(address),
            logical);
    return command(X86MessageLayout.VECTOR.getInt(data), mode, logical);
  }

  /// {@return a command}
  public static int command(int vector, int deliveryMode, boolean logical) {
    return (int)
        (VECTOR.place(vector) | DELIVERY_MODE.place(deliveryMode) | (logical ? LOGICAL.mask() : 0));
  }
}
