package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.BitKind;
import dev.doorbell.bits.Field;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.TableTrail;
import dev.doorbell.irq.X86Interrupt;
import dev.doorbell.irq.X86MessageLayout;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Explains what an AMD IOMMU does with an access or an interrupt message, from registers and tables as they stand. It writes nothing.
/// Immutable; safe for threads as its memory is.
///
/// **Source**: AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.2 (data structures), 2.5 (events).
public final class AmdViWalker {
  private static final int TABLE_UNIT_SHIFT = 12;
  private static final int PHYSICAL_BITS = 52;
  private static final long LAST_OF_PAGE = (1L << TABLE_UNIT_SHIFT) - 1;

  /// Delivery modes of a datum.
  private static final int FIXED = 0;

  private static final int ARBITRATED = 1;
  private static final int NMI = 4;
  private static final int INIT = 5;
  private static final int EXT_INT = 7;

  private final String id;
  private final Map<String, Long> registers;
  private final MemoryView memory;

  /// @param id the IOMMU's name, for hops
  /// @param registers `DEVTAB_BASE` and `CONTROL`; missing ones cannot be seen
  public AmdViWalker(String id, Map<String, Long> registers, MemoryView memory) {
    this.id = id;
    this.registers = Map.copyOf(registers);
    this.memory = memory;
  }

  /// {@return the way of a DMA access without a PASID}
  ///
  /// @param device the device id that the device table is indexed with, 16 bits
  /// @param write whether it writes
  public AmdViWalk dma(int device, Iova iova, boolean write) {
    TableTrail trail = new TableTrail(id, memory);
    String in = "device id 0x%x, IOVA %s".formatted(device, iova);
    Optional<long[]> dte = entry(trail, device, in);
    if (dte.isEmpty()) {
      return trail.stopped().isPresent()
          ? new AmdViWalk(trail.hops(), Optional.empty(), trail.stopped())
          : inMemory(
              trail,
              in,
              new AmdViWalk(trail.hops(), Optional.of(new Pa(iova.value())), Optional.empty()));
    }
    String name = "DTE 0x%x".formatted(device);
    if (V.isSet(dte.get()[0]) && GV.isSet(dte.get()[0]) && !control(AmdViRegisters.GT_EN)) {
      trail.stopAt(
          name,
          in,
          "ILLEGAL_DEV_TABLE_ENTRY: GV=1, and Control.GTEn=0 lets no guest tables be used; "
              + TableTrail.print(WORD_0, dte.get()[0]),
          entryAt(device));
      return new AmdViWalk(trail.hops(), Optional.empty(), trail.stopped());
    }
    if (excludes(dte.get(), iova)) {
      trail.entry(
          name,
          iova.toString(),
          "passes",
          "the address lies in the exclusion range [0x%x, 0x%x], %s"
              .formatted(
                  exclusion("EXCL_BASE", AmdViRegisters.EXCL_BASE),
                  exclusion("EXCL_LIMIT", AmdViRegisters.EXCL_LIMIT) | LAST_OF_PAGE,
                  EX.isSet(dte.get()[1]) ? "which EX=1 lets the device use" : "which all may use"),
          entryAt(device));
      return new AmdViWalk(trail.hops(), Optional.of(new Pa(iova.value())), Optional.empty());
    }
    return inMemory(
        trail, in, new IoPageWalk(trail, name, entryAt(device), iova, write).run(dte.get()));
  }

  private IrteWalk.Modes modes() {
    return new IrteWalk.Modes(
        control(AmdViRegisters.GA_EN),
        control(AmdViRegisters.XT_EN),
        AmdViRegisters.GAM_EN.getInt(registers.getOrDefault("CONTROL", 0L))
            == AmdViRegisters.GAM_GUEST);
  }

  private boolean control(Field field) {
    return field.isSet(registers.getOrDefault("CONTROL", 0L));
  }

  private long exclusion(String register, Field field) {
    return field.get(registers.getOrDefault(register, 0L));
  }

  /// {@return whether an access passes by all tables; an exclusion range that was not recorded counts as off, as after reset}
  private boolean excludes(long[] dte, Iova iova) {
    boolean wellFormed = V.isSet(dte[0]) && (dte[0] & WORD_0.mask(BitKind.RES0)) == 0;
    boolean mayUse = exclusion("EXCL_BASE", AmdViRegisters.EXCL_ALLOW) != 0 || EX.isSet(dte[1]);
    long first = exclusion("EXCL_BASE", AmdViRegisters.EXCL_BASE);
    long last = exclusion("EXCL_LIMIT", AmdViRegisters.EXCL_LIMIT) | LAST_OF_PAGE;
    return wellFormed
        && mayUse
        && exclusion("EXCL_BASE", AmdViRegisters.EXCL_EN) != 0
        && iova.value() >= first
        && iova.value() <= last;
  }

  /// {@return the way of an access, which ends where memory has no such address}
  private static AmdViWalk inMemory(TableTrail trail, String in, AmdViWalk walk) {
    if (walk.output().isEmpty() || walk.output().get().value() >>> PHYSICAL_BITS == 0) {
      return walk;
    }
    trail.stopRegister(
        "physical addresses",
        in,
        "%s has more than the %d bits of a physical address"
            .formatted(walk.output().get(), PHYSICAL_BITS));
    return new AmdViWalk(trail.hops(), Optional.empty(), trail.stopped());
  }

  /// {@return the way of a write to the interrupt address range, which never meets the DMA tables}
  ///
  /// @param device the device id that the device table is indexed with, 16 bits
  /// @param address within FEE0_0000h to FEEF_FFFFh
  /// @param data the datum
  public AmdViMessage message(int device, long address, int data) {
    TableTrail trail = new TableTrail(id, memory);
    String in = "write 0x%x to 0x%x".formatted(Integer.toUnsignedLong(data), address);
    Optional<long[]> dte = entry(trail, device, in);
    if (dte.isEmpty()) {
      return trail.stopped().isPresent()
          ? ended(trail)
          : passed(trail, X86Interrupt.ofMessage(address, data));
    }
    long word = dte.get()[2];
    String at = "DTE 0x%x".formatted(device);
    long pa = entryAt(device);
    String fields = TableTrail.print(WORD_2, word);
    if (!IV.isSet(word)) {
      X86Interrupt out = X86Interrupt.ofMessage(address, data);
      trail.entry(
          at,
          in,
          out.toString(),
          "IV=0: the entry says nothing of interrupts, they pass unmapped, and whoever sends is not looked at",
          pa);
      return passed(trail, out);
    }
    if ((word & WORD_2.mask(BitKind.RES0)) != 0) {
      trail.stopAt(at, in, "ILLEGAL_DEV_TABLE_ENTRY: reserved bits are set; " + fields, pa);
      return ended(trail);
    }
    int mode = X86MessageLayout.DELIVERY_MODE.getInt(data);
    boolean many =
        AmdViRegisters.NUM_INT_REMAP_MODE.getInt(registers.getOrDefault("CONTROL", 0L)) != 0;
    if (!many && mode != FIXED && mode != ARBITRATED) {
      return unmapped(trail, word, X86Interrupt.ofMessage(address, data), new Place(at, in, pa));
    }
    return switch (INT_CTL.getInt(word)) {
      case INT_REMAP -> remapped(trail, at, word, data, pa);
      case INT_FORWARD -> {
        X86Interrupt out = X86Interrupt.ofMessage(address, data);
        trail.entry(at, in, out.toString(), "interrupts pass unmapped; " + fields, pa);
        yield passed(trail, out);
      }
      case INT_ABORT -> {
        trail.stopAt(at, in, "IO_PAGE_FAULT (interrupt): IntCtl aborts interrupts; " + fields, pa);
        yield ended(trail);
      }
      default -> {
        trail.stopAt(
            at, in, "ILLEGAL_DEV_TABLE_ENTRY: IntCtl has a reserved encoding; " + fields, pa);
        yield ended(trail);
      }
    };
  }

  private record Place(String at, String in, long pa) {}

  /// What IntCtl does not govern is never remapped: a bit of its own for each lets it pass or not.
  private static AmdViMessage unmapped(TableTrail trail, long word, X86Interrupt out, Place place) {
    String fields = TableTrail.print(WORD_2, word);
    Optional<Field> pass =
        switch (out.deliveryMode()) {
          case NMI -> Optional.of(NMI_PASS);
          case INIT -> Optional.of(INIT_PASS);
          case EXT_INT -> Optional.of(EINT_PASS);
          default -> Optional.empty();
        };
    if (pass.isEmpty()) {
      trail.stopAt(
          place.at(),
          place.in(),
          "cannot see: what becomes of delivery mode %d is not modelled; %s"
              .formatted(out.deliveryMode(), fields),
          place.pa());
      return ended(trail);
    }
    String name = pass.get().name();
    if (!pass.get().isSet(word)) {
      trail.stopAt(
          place.at(),
          place.in(),
          "IO_PAGE_FAULT (interrupt): %s=0 aborts delivery mode %d; %s"
              .formatted(name, out.deliveryMode(), fields),
          place.pa());
      return ended(trail);
    }
    trail.entry(
        place.at(),
        place.in(),
        out.toString(),
        name + "=1: passes unmapped; " + fields,
        place.pa());
    return passed(trail, out);
  }

  private static AmdViMessage ended(TableTrail trail) {
    return new AmdViMessage(trail.hops(), Optional.empty(), Optional.empty(), trail.stopped());
  }

  private static AmdViMessage passed(TableTrail trail, X86Interrupt out) {
    return new AmdViMessage(trail.hops(), Optional.of(out), Optional.empty(), Optional.empty());
  }

  private long entryAt(int device) {
    return AmdViRegisters.DEV_TAB_BASE.get(registers.getOrDefault("DEVTAB_BASE", 0L))
        + (long) device * BYTES;
  }

  /// {@return the entry's four words; empty when the walk ends, or when the IOMMU or the entry lets everything pass}
  private Optional<long[]> entry(TableTrail trail, int device, String in) {
    Long control = registers.get("CONTROL");
    Long base = registers.get("DEVTAB_BASE");
    if (control == null || base == null) {
      String missing = control == null ? "CONTROL" : "DEVTAB_BASE";
      trail.stopRegister(missing, in, "cannot see: %s was not recorded".formatted(missing));
      return Optional.empty();
    }
    if (!AmdViRegisters.IOMMU_EN.isSet(control)) {
      trail.register("CONTROL", in, "passes", "Control.IommuEn=0: the IOMMU is off");
      return Optional.empty();
    }
    long bytes = AmdViRegisters.DEV_TAB_SIZE.get(base) + 1 << TABLE_UNIT_SHIFT;
    long table = AmdViRegisters.DEV_TAB_BASE.get(base);
    trail.register(
        "DEVTAB_BASE",
        in,
        "DTE 0x%x".formatted(device),
        "device table of %d entries at 0x%x".formatted(bytes / BYTES, table));
    if ((long) device * BYTES >= bytes) {
      trail.stopRegister(
          "DEVTAB_BASE",
          "device id 0x%x".formatted(device),
          "IO_PAGE_FAULT: the device id lies beyond the table's %d entries"
              .formatted(bytes / BYTES));
      return Optional.empty();
    }
    long[] words = new long[BYTES / Long.BYTES];
    String name = "DTE 0x%x".formatted(device);
    for (int i = 0; i < words.length; i++) {
      OptionalLong word = trail.read(entryAt(device) + (long) i * Long.BYTES, name);
      if (word.isEmpty()) {
        return Optional.empty();
      }
      words[i] = word.getAsLong();
    }
    if (!V.isSet(words[0])) {
      trail.entry(
          name, in, "passes", "V=0: accesses of the device pass untranslated", entryAt(device));
      return IV.isSet(words[2]) ? Optional.of(words) : Optional.empty();
    }
    return Optional.of(words);
  }

  private AmdViMessage remapped(TableTrail trail, String at, long word, int data, long pa) {
    long index = IrteLayout.INDEX.get(Integer.toUnsignedLong(data));
    int length = INT_TAB_LEN.getInt(word);
    String fields = TableTrail.print(WORD_2, word);
    if (length > MOST_INT_TAB_LEN) {
      trail.stopAt(
          at,
          "index " + index,
          "ILLEGAL_DEV_TABLE_ENTRY: IntTabLen has a reserved encoding; " + fields,
          pa);
      return ended(trail);
    }
    trail.entry(
        at, "datum 0x%x".formatted(Integer.toUnsignedLong(data)), "index " + index, fields, pa);
    if (index >= 1L << length) {
      trail.stopAt(
          at,
          "index " + index,
          "IO_PAGE_FAULT (interrupt): index %d lies beyond the table's %d entries"
              .formatted(index, 1 << length),
          pa);
      return ended(trail);
    }
    return new IrteWalk(trail, index, modes()).run(INT_TAB_ROOT.get(word));
  }
}
