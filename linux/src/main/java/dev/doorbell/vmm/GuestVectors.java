package dev.doorbell.vmm;

import dev.doorbell.bus.Rollback;
import dev.doorbell.linux.kvm.GuestMsi;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.Forwarding;
import dev.doorbell.vfio.IrqType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/// Makes a function's vectors what the guest programs: a vector that the guest enables and does not mask is led to the message that the guest
/// wrote for it. For the thread of the guest's processor.
final class GuestVectors implements AutoCloseable {
  /// The guest's view of one kind of vectors.
  ///
  /// @param table what the guest wrote
  /// @param enabled whether the guest has them on
  /// @param masked whether the guest holds all of them back
  /// @param count how many the guest uses
  record Kind(
      IrqType type,
      MessageTable table,
      BooleanSupplier enabled,
      BooleanSupplier masked,
      IntSupplier count) {}

  private final Device device;
  private final GuestMessages guest;
  private final int deviceId;
  private final int firstGsi;
  private final List<Kind> kinds;
  private final Map<Integer, Led> led = new HashMap<>();

  /// What arrives while the guest holds a vector back.
  private final List<EventCounter> waiting = new ArrayList<>();

  private @Nullable Kind active;
  private int granted;

  /// A vector that is led to the guest.
  private record Led(Forwarding forwarding, GuestMsi message) {}

  /// @param deviceId what the guest's ITS knows the function by
  /// @param firstGsi numbers from here up are the function's
  GuestVectors(Device device, GuestMessages guest, int deviceId, int firstGsi, List<Kind> kinds) {
    this.device = device;
    this.guest = guest;
    this.deviceId = deviceId;
    this.firstGsi = firstGsi;
    this.kinds = List.copyOf(kinds);
  }

  /// Follows what the guest has written: called after each write to a capability or a table.
  ///
  /// @throws TooFewGuestVectors when the guest uses a vector that the host has not for it
  void update() {
    Kind wanted = kinds.stream().filter(k -> k.enabled().getAsBoolean()).findFirst().orElse(null);
    if (wanted != active) {
      stop();
      if (wanted != null) {
        start(wanted);
      }
    }
    if (wanted != null) {
      follow(wanted);
    }
  }

  private void start(Kind kind) {
    for (int v = 0; v < kind.count().getAsInt(); v++) {
      waiting.add(new EventCounter());
    }
    // A guest usually uses fewer than the function has: what is missing is told when it is used.
    granted = device.enable(kind.type(), 1, waiting);
    active = kind;
  }

  private void stop() {
    takeBack();
    if (active != null) {
      device.disable();
    }
    active = null;
    granted = 0;
    waiting.clear();
  }

  /// Ends every way into the guest.
  private void takeBack() {
    try (Rollback all = new Rollback()) {
      led.values().forEach(l -> all.add(l.forwarding()::close));
      led.clear();
    }
  }

  private void follow(Kind kind) {
    Map<Integer, GuestMsi> changed = new HashMap<>();
    Map<Integer, GuestMsi> wanted = new HashMap<>();
    boolean held = kind.masked().getAsBoolean();
    for (int v = 0; v < waiting.size(); v++) {
      boolean open = !held && !(kind.table().isMaskable() && kind.table().isMasked(v));
      long address = kind.table().address(v);
      if (open && address != 0) {
        requireGranted(v);
        GuestMsi m = GuestMsi.of(address, kind.table().data(v)).from(deviceId);
        wanted.put(v, m);
        Led has = led.get(v);
        if (has == null || !has.message().equals(m)) {
          changed.put(firstGsi + v, m);
        }
      }
    }
    if (!changed.isEmpty()) {
      guest.route(changed);
    }
    for (int v = 0; v < granted; v++) {
      lead(v, wanted.get(v));
    }
  }

  /// The host may have fewer vectors than the function; a guest that uses one of the others would wait for its interrupt without end.
  private void requireGranted(int vector) {
    if (vector >= granted) {
      throw new TooFewGuestVectors(device.function(), vector + 1, granted);
    }
  }

  private void lead(int vector, @Nullable GuestMsi message) {
    Led has = led.get(vector);
    if (message == null) {
      if (has != null) {
        led.remove(vector);
        has.forwarding().close();
      }
      return;
    }
    Forwarding f =
        has == null ? device.vector(vector).forwardTo(guest, firstGsi + vector) : has.forwarding();
    led.put(vector, new Led(f, message));
    if (waiting.get(vector).take() > 0) {
      // What came while it was held back is pending, and fires now.
      guest.signal(message);
    }
  }

  /// {@return vectors that lead to the guest}
  int led() {
    return led.size();
  }

  @Override
  public void close() {
    stop();
  }
}
