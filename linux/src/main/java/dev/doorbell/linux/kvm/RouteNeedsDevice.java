package dev.doorbell.linux.kvm;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.linux.LinuxException;
import java.util.List;
import java.util.Optional;

/// A guest's interrupt would lead to an ITS without saying which device sends it: the kernel takes such a route and never delivers.
public final class RouteNeedsDevice extends LinuxException {
  private static final long serialVersionUID = 1L;

  RouteNeedsDevice(int gsi, GuestMsi message) {
    super(
        new Refusal(
            "RouteNeedsDevice",
            "cannot route interrupt %d to a write of 0x%x at 0x%x: the message has no device id, and the machine's ITS finds an interrupt by device id and event"
                .formatted(gsi, message.data(), message.address()),
            Optional.empty(),
            Optional.empty(),
            List.of("interrupt " + gsi, "the machine's ITS"),
            Source.rule("Linux KVM_SET_GSI_ROUTING, KVM_MSI_VALID_DEVID"),
            "say which device of the guest it is (GuestMsi.from): the id that msi-map gives its requester id"));
  }
}
