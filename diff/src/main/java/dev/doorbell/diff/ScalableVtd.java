package dev.doorbell.diff;

import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.vtd.ContextLayout;
import dev.doorbell.hw.vtd.InvalidationLayout;
import dev.doorbell.hw.vtd.PagingLayout;
import dev.doorbell.hw.vtd.PasidLayout;
import dev.doorbell.hw.vtd.VtdFeatures;
import dev.doorbell.hw.vtd.VtdModel;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// VT-d in scalable mode with destinations of 32 bits, beside QEMU's `intel-iommu`, which has one of the two stages. Queue, registers and
/// interrupt entries lie where they lie in legacy mode.
///
/// @param stage what tables the devices have
/// @param since11 whether QEMU's options have the names of version 11
record ScalableVtd(Stage stage, boolean since11) implements PcIommu {
  /// What an address goes through.
  enum Stage {
    FIRST,
    SECOND
  }

  /// A table of PASID directories, one page for each device.
  static final long DIRECTORIES = Pc.ARENA + 0x8000;

  /// PASID tables, one page for each device.
  static final long PASIDS = Pc.ARENA + 0xc000;

  /// RID_PASID of the devices.
  static final List<Integer> RID_PASIDS = List.of(0, 5);

  /// Domain ids of tables that are used with one RID_PASID.
  static final int DOMAINS = 64;

  private static final VtdIommu LEGACY = new VtdIommu(true);
  private static final QemuVersion LEAST = new QemuVersion(10, 0, 0);
  private static final int SECOND_OPTIONS = 11;
  private static final long TABLES_END = Pc.TABLES + (long) VtdIommu.TABLE_COUNT * Pc.PAGE;

  @Override
  public PcIommu of(QemuVersion version) {
    return new ScalableVtd(stage, version.major() >= SECOND_OPTIONS);
  }

  @Override
  public String option() {
    String prefix = since11 ? "" : "x-";
    String first = "," + prefix + (since11 ? "fsts" : "flts") + "=on";
    return "%s,eim=on,%sscalable-mode=on%s"
        .formatted(LEGACY.option(), prefix, stage == Stage.FIRST ? first : "");
  }

  @Override
  public QemuMachine start(QemuBinary binary) {
    binary.requireAtLeast(LEAST);
    return PcIommu.super.start(binary);
  }

  @Override
  public Unit unit(PhysicalMemory memory, ApicPort apics) {
    VtdFeatures features =
        VtdFeatures.of(VtdIommu.INPUT_BITS, true)
            .withScalableMode(stage == Stage.FIRST, stage == Stage.SECOND);
    return Unit.of(new VtdModel(features, memory, apics));
  }

  @Override
  public long base() {
    return LEGACY.base();
  }

  @Override
  public RegisterMap map() {
    return LEGACY.map();
  }

  @Override
  public List<Step> generate(long seed, int steps) {
    return new ScalableGenerator(seed, stage).generate(steps);
  }

  @Override
  public List<Place> watched() {
    List<Place> out = new ArrayList<>(LEGACY.watched());
    if (stage == Stage.FIRST) {
      // QEMU marks entries as accessed on the way, where the access then fails, too.
      for (long table = Pc.TABLES; table < TABLES_END; table += Pc.PAGE) {
        for (int index : ScalableGenerator.INDEXES) {
          long at = table + (long) index * PagingLayout.BYTES;
          out.add(new Place("entry", at, Long.BYTES, ~PagingLayout.FS_A.mask()));
        }
      }
    }
    return out;
  }

  @Override
  public boolean isSetting(long address) {
    return LEGACY.isSetting(address);
  }

  @Override
  public Optional<String> catchesUp(Step.Write write) {
    return LEGACY.catchesUp(write);
  }

  @Override
  public int commandWords() {
    return InvalidationLayout.WIDE_BYTES / Long.BYTES;
  }

  @Override
  public void follow(CommandRing ring, long address, long value) {
    LEGACY.follow(ring, address, value);
  }

  @Override
  public Place tail() {
    return LEGACY.tail();
  }

  @Override
  public List<Place> recordings() {
    return LEGACY.recordings();
  }

  @Override
  public String recorded(Rig rig, Attempt attempt, long[] seen) {
    return LEGACY.recorded(rig, attempt, seen);
  }

  @Override
  public Optional<Kind> kind(long address) {
    return address >= DIRECTORIES && address < VtdIommu.ENTRIES
        ? Optional.of(Kind.DEVICE)
        : LEGACY.kind(address);
  }

  /// What leads to a device's tables is taken by the size of the largest, of which no two that are used share one.
  @Override
  public int bytes(Kind kind) {
    return kind == Kind.DEVICE ? PasidLayout.ENTRY_BYTES : LEGACY.bytes(kind);
  }

  /// An entry that leads to a device's tables counts until PASID table entries are dropped, before which scenarios have contexts dropped.
  @Override
  public List<Drop> drops(List<Long> command) {
    long low = command.getFirst();
    long high = command.get(1);
    return switch (InvalidationLayout.TYPE.getInt(low)) {
      case InvalidationLayout.CONTEXT_CACHE -> List.of();
      case InvalidationLayout.PASID_CACHE ->
          InvalidationLayout.PC_G.getInt(low) == InvalidationLayout.PC_GLOBAL
              ? List.of(Drop.all(Kind.DEVICE))
              : List.of();
      case InvalidationLayout.PASID_IOTLB -> {
        int domain = InvalidationLayout.PI_DID.getInt(low);
        if (domain / DOMAINS >= RID_PASIDS.size()
            || RID_PASIDS.get(domain / DOMAINS) != InvalidationLayout.PI_PASID_ID.getInt(low)) {
          yield List.of();
        }
        long bytes = (long) Pc.PAGE << InvalidationLayout.PI_AM.getInt(high);
        long first = InvalidationLayout.PI_ADDR.get(high) & -bytes;
        yield InvalidationLayout.PI_G.getInt(low) == InvalidationLayout.PI_PASID
            ? List.of(new Drop(Kind.PAGE, domain, -1, 0, -1))
            : List.of(new Drop(Kind.PAGE, domain, -1, first, first + bytes - 1));
      }
      default -> LEGACY.drops(command);
    };
  }

  /// {@return where the PASID table entry is that a device's requests go by}
  static long pasidEntry(PhysicalMemory memory, int requester) {
    long context = VtdIommu.CONTEXT + (long) requester * ContextLayout.SCALABLE_BYTES;
    int pasid = ContextLayout.RID_PASID.getInt(memory.read64(context + Long.BYTES));
    long index = pasid & (1 << PasidLayout.TABLE_BITS) - 1;
    return PASIDS
        + (long) Pc.REQUESTERS.indexOf(requester) * Pc.PAGE
        + index * PasidLayout.ENTRY_BYTES;
  }

  @Override
  public int domain(PhysicalMemory memory, int requester) {
    return PasidLayout.DID.getInt(memory.read64(pasidEntry(memory, requester) + Long.BYTES));
  }

  @Override
  public int domain(long address, long[] entry) {
    return address >= PASIDS ? PasidLayout.DID.getInt(entry[1]) : VtdIommu.NO_DOMAIN;
  }

  @Override
  public List<Named> quirks() {
    return ScalableQuirks.ALL;
  }

  @Override
  public String command(List<Long> words) {
    return LEGACY.command(words);
  }
}
