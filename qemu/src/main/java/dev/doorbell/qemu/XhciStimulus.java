package dev.doorbell.qemu;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.Firing;
import java.util.ArrayList;
import java.util.List;

/// A USB host controller: an interrupter for every vector, by MSI of several messages or MSI-X. Nothing is plugged in and no command is
/// given: an interrupter interrupts again when software says that it has handled its events (Event Handler Busy is cleared) and the dequeue
/// pointer that comes with it is not where the controller would write next.
///
/// It works while the machine's clock stands still. Its event rings lie in memory that the caller has mapped for it; the controller reads the
/// Event Ring Segment Table from there.
///
/// **Source**: eXtensible Host Controller Interface 1.2, 4.2 (initialization), 4.17.2 (when an interrupter interrupts), 5.5.2.3.3 (ERDP, Event
/// Handler Busy).
public final class XhciStimulus implements Stimulus {
  private static final long TABLE_BYTES = 64;
  private static final long RING_BYTES = (long) XhciLayout.SEGMENT_LEAST * XhciLayout.TRB_BYTES;

  private final DeviceRegisters operational;
  private final List<Interrupter> interrupters = new ArrayList<>();

  /// @param ring where the controller finds the interrupter's event ring
  private record Interrupter(DeviceRegisters registers, long ring) {}

  private XhciStimulus(DeviceRegisters operational) {
    this.operational = operational;
  }

  /// {@return bytes of memory that a controller with so many vectors needs}
  public static long memoryBytes(int vectors) {
    return vectors * (TABLE_BYTES + RING_BYTES);
  }

  /// Resets the controller and turns its interrupters on.
  ///
  /// @param bar0 its registers
  /// @param memory of {@link #memoryBytes}, aligned to 64 bytes on both sides
  /// @param vectors up to as many as it has interrupters
  /// @throws DeviceStuck when the controller does not come out of reset, has fewer interrupters, or cannot read its memory
  public static XhciStimulus open(String device, RegisterBus bar0, DmaArea memory, int vectors) {
    DeviceRegisters capability = new DeviceRegisters(device, bar0);
    int has = XhciLayout.MAX_INTRS.getInt(capability.read(XhciLayout.HCSPARAMS1));
    if (has < vectors) {
      throw new DeviceStuck(device, vectors + " interrupters", "HCSPARAMS1 tells " + has);
    }
    long length = XhciLayout.CAPLENGTH.get(capability.read(XhciLayout.LENGTH));
    long runtime = XhciLayout.RUNTIME.get(capability.read(XhciLayout.RTSOFF));
    XhciStimulus s = new XhciStimulus(capability.from(length));
    s.reset();
    memory.clear();
    // Tables after the rings: one at IOVA 0 would count as none.
    for (int v = 0; v < vectors; v++) {
      long at = runtime + (1L + v) * XhciLayout.INTERRUPTER_BYTES;
      s.add(
          capability.from(at),
          memory.slice(vectors * RING_BYTES + v * TABLE_BYTES, TABLE_BYTES),
          memory.slice(v * RING_BYTES, RING_BYTES));
    }
    s.operational.write(XhciLayout.USBCMD, XhciLayout.INTE.place(1));
    return s;
  }

  private void reset() {
    operational.write(XhciLayout.USBCMD, XhciLayout.HCRST.place(1));
    operational.await(XhciLayout.USBCMD, XhciLayout.HCRST, 0);
    operational.await(XhciLayout.USBSTS, XhciLayout.CNR, 0);
  }

  private void add(DeviceRegisters registers, DmaArea table, DmaArea ring) {
    long start = ring.iova().value();
    table.write(
        XhciLayout.ENTRY_BASE.offset(),
        XhciLayout.SEGMENT.place(start),
        XhciLayout.ENTRY_BASE.bytes());
    table.write(
        XhciLayout.ENTRY_SIZE.offset(),
        XhciLayout.SEGMENT_SIZE.place(XhciLayout.SEGMENT_LEAST),
        XhciLayout.ENTRY_SIZE.bytes());
    table.memory().publish();
    registers.write(XhciLayout.ERSTSZ, 1);
    long dequeue = handled(start);
    upper(registers, XhciLayout.ERDP, dequeue);
    lower(registers, XhciLayout.ERDP, dequeue);
    // The controller reads the table when the upper half is written.
    long base = XhciLayout.TABLE.place(table.iova().value());
    lower(registers, XhciLayout.ERSTBA, base);
    upper(registers, XhciLayout.ERSTBA, base);
    long status = operational.read(XhciLayout.USBSTS);
    if (XhciLayout.HCE.isSet(status)) {
      throw new DeviceStuck(
          registers.device(),
          "its Event Ring Segment Table at %s to be read".formatted(table.iova()),
          "USBSTS is 0x%x: Host Controller Error".formatted(status));
    }
    registers.write(XhciLayout.IMAN, XhciLayout.IP.place(1) | XhciLayout.IE.place(1));
    interrupters.add(new Interrupter(registers, start));
  }

  /// {@return ERDP for software that has handled what lies before an address}
  private static long handled(long next) {
    return XhciLayout.DEQUEUE.place(next) | XhciLayout.EHB.mask();
  }

  // Registers of 64 bits take two writes of 32, in the order that is wanted.

  private static void lower(DeviceRegisters registers, Register register, long value) {
    registers.bus().write32(register.offset(), (int) value);
  }

  private static void upper(DeviceRegisters registers, Register register, long value) {
    registers.bus().write32(register.offset() + Integer.BYTES, (int) (value >>> Integer.SIZE));
  }

  @Override
  public int vectors() {
    return interrupters.size();
  }

  @Override
  public Firing raise(int vector) {
    Interrupter i = interrupters.get(vector);
    i.registers().write(XhciLayout.IMAN, XhciLayout.IP.place(1) | XhciLayout.IE.place(1));
    lower(i.registers(), XhciLayout.ERDP, handled(i.ring() + XhciLayout.TRB_BYTES));
    return Firing.UNTOLD;
  }
}
