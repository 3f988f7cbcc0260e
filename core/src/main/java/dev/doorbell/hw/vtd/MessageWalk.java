package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.IrteLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.iommu.TableTrail;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.X86CommandLayout;
import dev.doorbell.irq.X86Interrupt;
import java.util.Optional;
import java.util.OptionalLong;

/// One interrupt message under way through a remapping unit.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 5.1.4 Interrupt-Remapping Hardware Operation, 5.2.3 Interrupt-Posting Hardware Operation, 7.1 (fault
/// reasons 20h to 26h).
final class MessageWalk {
  private static final int FUNCTION_BITS = 3;

  private final TableTrail trail;
  private final UnitLimits limits;
  private final int requester;
  private final long address;
  private final int data;
  private final String in;

  MessageWalk(TableTrail trail, UnitLimits limits, int requester, long address, int data) {
    this.trail = trail;
    this.limits = limits;
    this.requester = requester;
    this.address = address;
    this.data = data;
    this.in = "write 0x%x to 0x%x".formatted(Integer.toUnsignedLong(data), address);
  }

  static VtdMessage ended(TableTrail trail) {
    return new VtdMessage(trail.hops(), Optional.empty(), Optional.empty(), trail.stopped());
  }

  private VtdMessage stop(String at, String from, String why, long pa) {
    trail.stopAt(at, from, why, pa);
    return ended(trail);
  }

  VtdMessage run(long gsts, long irta) {
    if (!VtdRegisters.IRES.isSet(gsts)) {
      return passes(
          "GSTS_REG",
          "GSTS_REG.IRES=0: interrupts are not remapped, and whoever sends is not looked at");
    }
    boolean extended = VtdRegisters.EIME.isSet(irta);
    if (!FORMAT.isSet(address)) {
      return compatibility(gsts, extended);
    }
    long entries = 2L << VtdRegisters.SIZE.getInt(irta);
    long index = HANDLE.get(address);
    if (SHV.isSet(address)) {
      if (data >>> SUBHANDLE.width() != 0) {
        trail.stopRegister(
            "IRTA_REG",
            in,
            VtdFault.REQUEST_RESERVED.because(
                "SHV is 1 and bits 31:16 of the datum 0x%x, which are reserved, are not 0"
                    .formatted(data)));
        return ended(trail);
      }
      index += SUBHANDLE.get(Integer.toUnsignedLong(data));
    }
    trail.register(
        "IRTA_REG",
        in,
        "interrupt_index " + index,
        "remappable format: %s; table of %d entries at 0x%x"
            .formatted(
                TableTrail.print(MESSAGE_ADDRESS, address), entries, VtdRegisters.IRTA.get(irta)));
    if (index >= entries) {
      trail.stopRegister(
          "IRTA_REG",
          "interrupt_index " + index,
          VtdFault.INDEX_BEYOND_TABLE.because(
              "interrupt_index %d lies beyond the table's %d entries".formatted(index, entries)));
      return ended(trail);
    }
    return entry(VtdRegisters.IRTA.get(irta) + index * BYTES, index, extended);
  }

  private VtdMessage passes(String register, String why) {
    X86Interrupt out = X86Interrupt.ofMessage(address, data);
    trail.register(register, in, out.toString(), why);
    return new VtdMessage(trail.hops(), Optional.of(out), Optional.empty(), Optional.empty());
  }

  private VtdMessage compatibility(long gsts, boolean extended) {
    if (!extended && VtdRegisters.CFIS.isSet(gsts)) {
      return passes(
          "GSTS_REG",
          "compatibility format, and GSTS_REG.CFIS=1 lets it pass without a look at who sends");
    }
    trail.stopRegister(
        extended ? "IRTA_REG" : "GSTS_REG",
        in,
        VtdFault.COMPATIBILITY_BLOCKED.because(
            "compatibility format is blocked (%s)"
                .formatted(extended ? "IRTA_REG.EIME=1" : "GSTS_REG.CFIS=0")));
    return ended(trail);
  }

  private VtdMessage entry(long pa, long index, boolean extended) {
    String at = "IRTE " + index;
    OptionalLong low = trail.read(pa, at);
    OptionalLong high = low.isEmpty() ? low : trail.read(pa + Long.BYTES, at);
    if (low.isEmpty() || high.isEmpty()) {
      return ended(trail);
    }
    long l = low.getAsLong();
    long h = high.getAsLong();
    String from = "requester id 0x%x".formatted(requester);
    if (!P.isSet(l)) {
      return stop(
          at, from, VtdFault.IRTE_NOT_PRESENT.because("the entry is not present (P=0)"), pa);
    }
    boolean isPosted = IM.isSet(l);
    String fields =
        isPosted
            ? TableTrail.print(POSTED_LOW, l) + " " + TableTrail.print(POSTED_HIGH, h)
            : TableTrail.print(LOW, l) + " " + TableTrail.print(HIGH, h);
    Optional<String> reserved = reserved(l, h);
    if (reserved.isPresent()) {
      return stop(at, from, VtdFault.IRTE_RESERVED.because(reserved.get() + "; " + fields), pa);
    }
    Optional<String> mismatch = mismatch(h);
    if (mismatch.isPresent()) {
      return stop(at, from, VtdFault.SOURCE_ID.because(mismatch.get() + "; " + fields), pa);
    }
    if (isPosted) {
      PostedInterrupt to =
          new PostedInterrupt(DESCRIPTOR.get(l, h), POSTED_V.getInt(l), URG.isSet(l));
      trail.entry(at, from, to.toString(), fields, pa);
      return posted(to, extended);
    }
    long destination = extended ? DST.get(l) : DST.get(l) >>> XAPIC_SHIFT & 0xff;
    X86Interrupt out =
        new X86Interrupt(
            V.getInt(l),
            destination,
            DM.isSet(l),
            X86CommandLayout.redirected(DLM.getInt(l), RH.isSet(l), DM.isSet(l)),
            extended);
    trail.entry(at, from, out.toString(), fields, pa);
    return new VtdMessage(trail.hops(), Optional.of(out), Optional.empty(), Optional.empty());
  }

  /// The descriptor as it stands: whether another request in it would notify.
  private VtdMessage posted(PostedInterrupt to, boolean extended) {
    String at = "posted interrupt descriptor 0x%x".formatted(to.descriptor());
    long pir = to.descriptor() + PostedLayout.pir(to.vector());
    long pa = to.descriptor() + PostedLayout.CONTROL_AT;
    OptionalLong requests = trail.read(pir, at);
    OptionalLong word = requests.isEmpty() ? requests : trail.read(pa, at);
    if (word.isEmpty()) {
      return ended(trail);
    }
    long control = word.getAsLong();
    Optional<X86Interrupt> notification =
        notifies(control, to.urgent())
            ? Optional.of(
                new X86Interrupt(
                    PostedLayout.NV.getInt(control),
                    PostedLayout.destination(control, extended),
                    false,
                    X86CommandLayout.FIXED,
                    extended))
            : Optional.empty();
    boolean waits = (requests.getAsLong() & PostedLayout.bit(to.vector())) != 0;
    trail.entry(
        at,
        to.toString(),
        "PIR bit %d %s; %s"
            .formatted(
                to.vector(),
                waits ? "is set already" : "is set",
                notification.map(n -> "notification by " + n).orElse("no notification")),
        why(control, to.urgent()) + "; " + TableTrail.print(PostedLayout.CONTROL, control),
        pa);
    return new VtdMessage(
        trail.hops(),
        Optional.empty(),
        Optional.of(new VtdMessage.Posted(to, notification)),
        Optional.empty());
  }

  private static boolean notifies(long control, boolean urgent) {
    return !PostedLayout.ON.isSet(control) && (urgent || !PostedLayout.SN.isSet(control));
  }

  private static String why(long control, boolean urgent) {
    if (PostedLayout.ON.isSet(control)) {
      return "a notification is outstanding (ON=1)";
    }
    if (!PostedLayout.SN.isSet(control)) {
      return "no notification is outstanding (ON=0) and none is suppressed (SN=0)";
    }
    return urgent
        ? "notifications are suppressed (SN=1), but the entry is urgent (URG=1)"
        : "notifications are suppressed (SN=1)";
  }

  /// {@return what of an entry is reserved; empty when nothing is}
  private Optional<String> reserved(long low, long high) {
    boolean posted = IM.isSet(low);
    if (posted && !limits.posts()) {
      return Optional.of("the entry is posted (IM=1), and CAP_REG.PI is 0");
    }
    if (SVT.getInt(high) > SVT_BUS) {
      return Optional.of("SVT has a reserved encoding");
    }
    long inLow = low & (posted ? POSTED_LOW : LOW).mask(BitKind.RES0);
    long inHigh = high & (posted ? POSTED_HIGH : HIGH).mask(BitKind.RES0);
    return (inLow | inHigh) == 0
        ? Optional.empty()
        : Optional.of("reserved bits are set: 0x%x and 0x%x".formatted(inLow, inHigh));
  }

  /// {@return why the entry does not take messages of this requester; empty when it does}
  private Optional<String> mismatch(long high) {
    int sid = SID.getInt(high);
    return switch (SVT.getInt(high)) {
      case SVT_NONE -> Optional.empty();
      case SVT_SID -> {
        int compared = ~qualified(SQ.getInt(high)) & 0xffff;
        yield (requester & compared) == (sid & compared)
            ? Optional.empty()
            : Optional.of("requester id 0x%x is not SID 0x%x".formatted(requester, sid));
      }
      case SVT_BUS -> {
        int bus = requester >>> Byte.SIZE;
        boolean within = bus >= sid >>> Byte.SIZE && bus <= (sid & 0xff);
        yield within
            ? Optional.empty()
            : Optional.of(
                "bus 0x%x of the requester is not between 0x%x and 0x%x"
                    .formatted(bus, sid >>> Byte.SIZE, sid & 0xff));
      }
      default -> throw new AssertionError("a reserved SVT is judged before");
    };
  }

  /// {@return the bits of a requester id that SQ leaves out of the comparison: the highest function bits first}
  private static int qualified(int sq) {
    return (1 << FUNCTION_BITS) - (1 << FUNCTION_BITS - sq);
  }
}
