package dev.doorbell.diff;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.vtd.ContextLayout;
import dev.doorbell.hw.vtd.InvalidationLayout;
import dev.doorbell.hw.vtd.IrteLayout;
import dev.doorbell.hw.vtd.PagingLayout;
import dev.doorbell.hw.vtd.VtdFeatures;
import dev.doorbell.hw.vtd.VtdModel;
import dev.doorbell.hw.vtd.VtdRegisters;
import dev.doorbell.qemu.QemuVersion;
import java.util.List;
import java.util.Optional;

/// VT-d in legacy mode, beside QEMU's `intel-iommu`.
///
/// @param recordsInterrupts whether QEMU records faults of interrupts: it does from 10 on
record VtdIommu(boolean recordsInterrupts) implements PcIommu {
  static final long UNIT = 0xfed9_0000L;
  static final int INPUT_BITS = 48;
  static final long ROOT = Pc.ARENA;
  static final long CONTEXT = Pc.ARENA + 0x1000;
  static final long QUEUE = Pc.ARENA + 0x2000;
  static final long ENTRIES = Pc.ARENA + 0x1_0000;
  static final int ENTRY_BITS = 7;
  static final int TABLE_COUNT = 12;

  private static final int FIRST_RECORDING = 10;
  private static final int FIRST_OF_INTERRUPTS = 0x20;
  private static final int LAST_OF_INTERRUPTS = 0x28;
  static final int NO_DOMAIN = -2;

  @Override
  public PcIommu of(QemuVersion version) {
    return new VtdIommu(version.major() >= FIRST_RECORDING);
  }

  @Override
  public String option() {
    return "intel-iommu,intremap=on,aw-bits=" + INPUT_BITS;
  }

  @Override
  public Unit unit(PhysicalMemory memory, ApicPort apics) {
    return Unit.of(new VtdModel(VtdFeatures.of(INPUT_BITS, true), memory, apics));
  }

  @Override
  public long base() {
    return UNIT;
  }

  @Override
  public RegisterMap map() {
    return MAP;
  }

  @Override
  public List<Step> generate(long seed, int steps) {
    return new VtdGenerator(seed, recordsInterrupts).generate(steps);
  }

  static Place place(Register r, long compared) {
    return new Place(r.name(), UNIT + r.offset(), r.bytes(), compared);
  }

  @Override
  public List<Place> watched() {
    long errors = IQE.mask() | ITE.mask() | ICE.mask() | PFO.mask() | PPF.mask();
    return List.of(
        place(GSTS_REG, -1),
        place(FSTS_REG, errors),
        place(IQH_REG, -1),
        place(IQT_REG, -1),
        // IP stays set in QEMU when the last record is cleared (`vtd-event-pending`).
        place(FECTL_REG, IM.mask()),
        place(IECTL_REG, -1),
        place(ICS_REG, -1),
        new Place("a wait descriptor's status", Pc.STATUS, Integer.BYTES),
        new Place("another one's status", Pc.STATUS + Integer.BYTES, Integer.BYTES));
  }

  @Override
  public boolean isSetting(long address) {
    long offset = address - UNIT;
    return offset == GCMD_REG.offset()
        || offset == RTADDR_REG.offset()
        || offset == IRTADDR_REG.offset()
        || offset >= FECTL_REG.offset() && offset <= FEUADDR_REG.offset();
  }

  /// What QEMU's queue stopped at it reads again with the next tail, not when the error is cleared.
  @Override
  public Optional<String> catchesUp(Step.Write write) {
    return write.address() == UNIT + FSTS_REG.offset() && IQE.isSet(write.value())
        ? Optional.of("vtd-queue-error-cleared")
        : Optional.empty();
  }

  @Override
  public void follow(CommandRing ring, long address, long value) {
    long offset = address - UNIT;
    if (offset == IQA_REG.offset()) {
      ring.moved(IQA_BASE.get(value), (long) Pc.PAGE << QS.getInt(value));
    } else if (offset == IQT_REG.offset()) {
      ring.tail(VtdRegisters.QUEUE.get(value));
    }
  }

  @Override
  public Place tail() {
    return place(IQT_REG, -1);
  }

  @Override
  public List<Place> recordings() {
    return List.of(place(FSTS_REG, -1));
  }

  @Override
  public String recorded(Rig rig, Attempt attempt, long[] seen) {
    if (!PPF.isSet(seen[0])) {
      return "";
    }
    long at = UNIT + FRCD_REG.offset() + FRI.get(seen[0]) * OFFSET_UNIT;
    long[] record =
        rig.read(
            List.of(
                new Place("FRCD_REG", at, Long.BYTES),
                new Place("FRCD_REG", at + Long.BYTES, Long.BYTES)));
    rig.write(at + Long.BYTES, F.mask(), Long.BYTES);
    int reason = FR.getInt(record[1]);
    if (!recordsInterrupts && reason >= FIRST_OF_INTERRUPTS && reason <= LAST_OF_INTERRUPTS) {
      return "";
    }
    return "0x%x reason %xh at 0x%x, %s"
        .formatted(
            FAULT_SID.get(record[1]),
            reason,
            FI.get(record[0]),
            T1.isSet(record[1]) ? "read" : "write");
  }

  @Override
  public Optional<Kind> kind(long address) {
    if (address >= ROOT && address < QUEUE) {
      return Optional.of(Kind.DEVICE);
    }
    if (address >= ENTRIES && address < ENTRIES + ((long) IrteLayout.BYTES << ENTRY_BITS)) {
      return Optional.of(Kind.INTERRUPT);
    }
    return address >= Pc.TABLES && address < Pc.TABLES + (long) TABLE_COUNT * Pc.PAGE
        ? Optional.of(Kind.PAGE)
        : Optional.empty();
  }

  @Override
  public int bytes(Kind kind) {
    return kind == Kind.PAGE ? PagingLayout.BYTES : ContextLayout.CONTEXT_BYTES;
  }

  @Override
  public List<Drop> drops(List<Long> command) {
    long low = command.getFirst();
    long high = command.get(1);
    return switch (InvalidationLayout.TYPE.getInt(low)) {
      case InvalidationLayout.CONTEXT_CACHE ->
          switch (InvalidationLayout.CC_G.getInt(low)) {
            case GLOBAL -> List.of(Drop.all(Kind.DEVICE));
            case DOMAIN -> drop(Kind.DEVICE, InvalidationLayout.CC_DID.getInt(low), -1);
            default ->
                drop(
                    Kind.DEVICE,
                    InvalidationLayout.CC_DID.getInt(low),
                    InvalidationLayout.CC_SID.getInt(low));
          };
      case InvalidationLayout.IOTLB -> {
        int domain = InvalidationLayout.IOTLB_DID.getInt(low);
        long first = InvalidationLayout.ADDR.get(high);
        long bytes = (long) Pc.PAGE << InvalidationLayout.AM.getInt(high);
        yield switch (InvalidationLayout.IOTLB_G.getInt(low)) {
          case GLOBAL -> List.of(Drop.all(Kind.PAGE));
          case DOMAIN -> drop(Kind.PAGE, domain, -1);
          default ->
              List.of(
                  new Drop(Kind.PAGE, domain, -1, first & -bytes, (first & -bytes) + bytes - 1));
        };
      }
      case InvalidationLayout.INTERRUPT_ENTRY_CACHE -> {
        int count = 1 << InvalidationLayout.IM.getInt(low);
        long first = ENTRIES + (InvalidationLayout.IIDX.get(low) & -count) * IrteLayout.BYTES;
        yield InvalidationLayout.IEC_G.isSet(low)
            ? List.of(
                new Drop(
                    Kind.INTERRUPT, -1, -1, first, first + (long) count * IrteLayout.BYTES - 1))
            : List.of(Drop.all(Kind.INTERRUPT));
      }
      default -> List.of();
    };
  }

  private static List<Drop> drop(Kind kind, int domain, int requester) {
    return List.of(new Drop(kind, domain, requester, 0, -1));
  }

  @Override
  public int domain(PhysicalMemory memory, int requester) {
    long at = CONTEXT + (long) requester * ContextLayout.CONTEXT_BYTES;
    return ContextLayout.DID.getInt(memory.read64(at + Long.BYTES));
  }

  @Override
  public int domain(long address, long[] entry) {
    return address >= CONTEXT ? ContextLayout.DID.getInt(entry[1]) : NO_DOMAIN;
  }

  @Override
  public List<Named> quirks() {
    return VtdQuirks.ALL;
  }

  @Override
  public String command(List<Long> words) {
    int type = InvalidationLayout.TYPE.getInt(words.getFirst());
    String name = InvalidationLayout.TYPE.names().nameOf(type);
    return name.isEmpty() ? "descriptor %x".formatted(type) : name + " descriptor";
  }
}
