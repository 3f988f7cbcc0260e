package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.IrteLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.iommu.TableTrail;
import dev.doorbell.irq.X86Interrupt;
import java.util.Optional;
import java.util.OptionalLong;

/// The last part of an interrupt message's way: the entry of the device's own interrupt remapping table.
///
/// @param modes what Control says of entries
record IrteWalk(TableTrail trail, long index, Modes modes) {
  /// @param wide whether entries have 16 bytes
  /// @param extended whether destinations have 32 bits
  /// @param guests whether entries can be in guest virtual APIC mode
  record Modes(boolean wide, boolean extended, boolean guests) {}

  private static final int XAPIC_BITS = 0xff;

  /// IntType: the highest that is no reserved one.
  private static final int ARBITRATED = 1;

  AmdViMessage run(long table) {
    return modes.wide ? wide(table + index * WIDE_BYTES) : narrow(table + index * BYTES);
  }

  private String at() {
    return "IRTE " + index;
  }

  private AmdViMessage ended() {
    return new AmdViMessage(trail.hops(), Optional.empty(), Optional.empty(), trail.stopped());
  }

  private AmdViMessage disabled(String fields, long pa) {
    trail.stopAt(at(), "index " + index, "IO_PAGE_FAULT (interrupt): RemapEn=0; " + fields, pa);
    return ended();
  }

  private AmdViMessage reached(X86Interrupt out, String fields, long pa) {
    trail.entry(at(), "index " + index, out.toString(), fields, pa);
    return new AmdViMessage(trail.hops(), Optional.of(out), Optional.empty(), Optional.empty());
  }

  private AmdViMessage narrow(long pa) {
    OptionalLong word = trail.read32(pa, at());
    if (word.isEmpty()) {
      return ended();
    }
    long e = word.getAsLong();
    String fields = TableTrail.print(NARROW, e);
    if (!REMAP_EN.isSet(e)) {
      return disabled(fields, pa);
    }
    if ((e & NARROW.mask(BitKind.RES0)) != 0 || INT_TYPE.getInt(e) > ARBITRATED) {
      return reserved(fields, pa);
    }
    return reached(
        new X86Interrupt(
            VECTOR.getInt(e), DESTINATION.get(e), DM.isSet(e), INT_TYPE.getInt(e), false),
        fields,
        pa);
  }

  /// {@return who is told of a guest's interrupt}
  private static String told(long low, long high) {
    if (IS_RUN.isSet(low)) {
      return "of which the processor with APIC id 0x%x is told, which runs the guest"
          .formatted(GUEST_PROCESSOR.get(low, high));
    }
    return GA_LOG_INTR.isSet(low)
        ? "of which the guest virtual APIC log is told with tag 0x%x".formatted(GA_TAG.get(low))
        : "of which nobody is told (IsRun=0, GALogIntr=0)";
  }

  private AmdViMessage reserved(String fields, long pa) {
    trail.stopAt(
        at(),
        "index " + index,
        "IO_PAGE_FAULT (interrupt): reserved bits or a reserved IntType are set; " + fields,
        pa);
    return ended();
  }

  private AmdViMessage wide(long pa) {
    OptionalLong low = trail.read(pa, at());
    OptionalLong high = low.isEmpty() ? low : trail.read(pa + Long.BYTES, at());
    if (low.isEmpty() || high.isEmpty()) {
      return ended();
    }
    long l = low.getAsLong();
    long h = high.getAsLong();
    boolean guest = modes.guests && GUEST_MODE.isSet(l);
    String fields =
        TableTrail.print(guest ? GUEST_LOW : LOW, l)
            + " "
            + TableTrail.print(guest ? GUEST_HIGH : HIGH, h);
    if (!WIDE_REMAP_EN.isSet(l)) {
      return disabled(fields, pa);
    }
    if (guest
        && ((l & GUEST_LOW.mask(BitKind.RES0)) != 0 || (h & GUEST_HIGH.mask(BitKind.RES0)) != 0)) {
      return reserved(fields, pa);
    }
    if (guest) {
      AmdViMessage.Guest to = new AmdViMessage.Guest(GUEST_APIC.get(h), GUEST_VECTOR.getInt(h));
      trail.entry(
          at(),
          "index " + index,
          "vector %d of the virtual APIC at 0x%x, %s"
              .formatted(to.vector(), to.backingPage(), told(l, h)),
          fields,
          pa);
      return new AmdViMessage(trail.hops(), Optional.empty(), Optional.of(to), Optional.empty());
    }
    if (GUEST_MODE.isSet(l)) {
      return reserved(fields, pa);
    }
    boolean odd = (l & LOW.mask(BitKind.RES0)) != 0 || (h & HIGH.mask(BitKind.RES0)) != 0;
    if (odd || WIDE_INT_TYPE.getInt(l) > ARBITRATED) {
      return reserved(fields, pa);
    }
    long destination = WIDE_DESTINATION.get(l, h);
    return reached(
        new X86Interrupt(
            WIDE_VECTOR.getInt(h),
            modes.extended ? destination : destination & XAPIC_BITS,
            WIDE_DM.isSet(l),
            WIDE_INT_TYPE.getInt(l),
            modes.extended),
        fields,
        pa);
  }
}
