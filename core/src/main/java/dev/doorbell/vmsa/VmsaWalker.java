package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Decoded;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.MemoryView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/// Walks translation tables as hardware does, one descriptor a level, and says what each means. At most four reads, whatever the
/// memory holds. Knows nothing of how the tables were made.
///
/// **Source** DDI 0487 D8.2 (walk), D8.3.1 (descriptors), D8.4 (permissions); IHI 0070 7.3 (which fault each is).
public final class VmsaWalker {
  /// Fields whose zero says something.
  private static final Set<Field> PRINTED_AT_ZERO =
      Set.of(
          DescriptorLayout.AP,
          DescriptorLayout.ATTR_INDX,
          DescriptorLayout.S2_AP,
          DescriptorLayout.S2_MEM_ATTR);

  private final VmsaGeometry geometry;
  private final Pa root;
  private final MemoryView memory;
  private final Options options;

  /// What the context says beside the geometry.
  ///
  /// @param accessFlagIgnored AFFD, or hardware sets the flag
  /// @param hierarchyIgnored HAD: APTable has no effect
  /// @param mair the attribute bytes of stage 1
  /// @param privileged whether the access is a privileged one
  /// @param dirtyUpdated whether hardware makes a page writable that is clean (DBM)
  /// @param wide whether the hardware has 52-bit output: descriptors of 64 KiB tables then have address bits 51:48, and level 1 has
  ///     blocks, whatever the geometry's output
  public record Options(
      boolean accessFlagIgnored,
      boolean hierarchyIgnored,
      long mair,
      boolean privileged,
      boolean dirtyUpdated,
      boolean wide) {
    /// Nothing ignored, an unprivileged access.
    public static final Options PLAIN = new Options(false, false, Descriptors.MAIR, false);

    /// Makes those of hardware that updates no dirty state and has 48 bits of output, or what the geometry says.
    public Options(
        boolean accessFlagIgnored, boolean hierarchyIgnored, long mair, boolean privileged) {
      this(accessFlagIgnored, hierarchyIgnored, mair, privileged, false, false);
    }
  }

  /// What the tables above an entry take from stage 1's permissions (APTable).
  private record Limits(boolean readOnly, boolean privilegedOnly) {
    static final Limits NONE = new Limits(false, false);

    Limits and(int apTable) {
      return new Limits(
          readOnly || apTable >= DescriptorLayout.AP_TABLE_READ_ONLY,
          privilegedOnly || apTable % 2 == DescriptorLayout.AP_TABLE_PRIVILEGED);
    }
  }

  /// @param root address of the start table
  public VmsaWalker(VmsaGeometry geometry, Pa root, MemoryView memory, Options options) {
    this.geometry = geometry;
    this.root = root;
    this.memory = memory;
    this.options = options;
  }

  /// {@return the walk of one address for a read or a write}
  public VmsaWalk walk(long input, boolean write) {
    List<VmsaStep> steps = new ArrayList<>(4);
    if (!geometry.aperture().contains(input)) {
      return new VmsaWalk(
          steps,
          new VmsaOutcome.OutsideInput(
              "0x%x is wider than the %d-bit input".formatted(input, geometry.inputBits())));
    }
    long table = root.value();
    if (tooWide(table)) {
      return new VmsaWalk(steps, tooWideAt(geometry.startLevel(), table, "the start table"));
    }
    Limits limits = Limits.NONE;
    for (int level = geometry.startLevel(); ; level++) {
      long entry = table + (long) geometry.index(input, level) * DescriptorLayout.BYTES;
      OptionalLong read = memory.read64(entry);
      if (read.isEmpty()) {
        return new VmsaWalk(
            steps,
            new VmsaOutcome.Unreadable(
                level,
                new Pa(entry),
                "the level %d descriptor at 0x%x cannot be seen".formatted(level, entry)));
      }
      long word = read.getAsLong();
      VmsaStep step = explain(level, entry, word);
      steps.add(step);
      switch (step.kind()) {
        case INVALID -> {
          return new VmsaWalk(
              steps,
              new VmsaOutcome.NotMapped(
                  level, "the level %d descriptor is 0x%x, invalid".formatted(level, word)));
        }
        case RESERVED -> {
          return new VmsaWalk(
              steps,
              new VmsaOutcome.Reserved(
                  level,
                  "the level %d descriptor is 0x%x, and granule %s has no block there"
                      .formatted(level, word, geometry.granule())));
        }
        case BLOCK, PAGE -> {
          return new VmsaWalk(steps, leaf(level, word, input, write, limits));
        }
        case TABLE -> {
          table = address(word);
          if (tooWide(table)) {
            return new VmsaWalk(steps, tooWideAt(level, table, "the next table"));
          }
          if (geometry.stage() == Stage.STAGE1 && !options.hierarchyIgnored) {
            limits = limits.and(DescriptorLayout.AP_TABLE.getInt(word));
          }
        }
      }
    }
  }

  private VmsaStep explain(int level, long entry, long word) {
    VmsaStep.Kind kind = kind(level, word);
    return new VmsaStep(level, new Pa(entry), word, kind, kind.printed() + fields(kind, word));
  }

  private VmsaStep.Kind kind(int level, long word) {
    if (!DescriptorLayout.VALID.isSet(word)) {
      return VmsaStep.Kind.INVALID;
    }
    if (Descriptors.isTable(word, level)) {
      return VmsaStep.Kind.TABLE;
    }
    boolean allowed = geometry.leafAllowed(level) || (hasTopBits() && level == 1);
    if (!Descriptors.isLeaf(word, level) || !allowed) {
      return VmsaStep.Kind.RESERVED;
    }
    return level == VmsaGeometry.LAST_LEVEL ? VmsaStep.Kind.PAGE : VmsaStep.Kind.BLOCK;
  }

  private String fields(VmsaStep.Kind kind, long word) {
    boolean first = geometry.stage() == Stage.STAGE1;
    Optional<Layout> layout =
        switch (kind) {
          case TABLE ->
              Optional.of(first ? DescriptorLayout.STAGE1_TABLE : DescriptorLayout.STAGE2_TABLE);
          case BLOCK, PAGE ->
              Optional.of(first ? DescriptorLayout.STAGE1_LEAF : DescriptorLayout.STAGE2_LEAF);
          case INVALID, RESERVED -> Optional.empty();
        };
    return layout.map(l -> printed(l, word)).orElse("");
  }

  private static String printed(Layout layout, long word) {
    return layout.decode(word).stream()
        .filter(d -> d.raw() != 0 || PRINTED_AT_ZERO.contains(d.field()))
        .filter(d -> d.field().lsb() > 1)
        .map(Decoded::toString)
        .collect(Collectors.joining(" ", ": ", ""));
  }

  private VmsaOutcome leaf(int level, long word, long input, boolean write, Limits limits) {
    long output = address(word);
    if (tooWide(output)) {
      return tooWideAt(level, output, "the output");
    }
    if (!DescriptorLayout.AF.isSet(word) && !options.accessFlagIgnored) {
      return new VmsaOutcome.NoAccessFlag(
          level,
          "the level %d descriptor is 0x%x, its access flag is clear".formatted(level, word));
    }
    String access = write ? "write" : "read";
    if (!allowed(word, write, limits)) {
      return new VmsaOutcome.Denied(
          level,
          "the level %d descriptor is 0x%x, which does not allow a %s"
              .formatted(level, word, access));
    }
    long pa = geometry.alignDown(output, level) + geometry.offset(input, level);
    return new VmsaOutcome.Mapped(new Pa(pa), geometry.bytes(level), level, device(word));
  }

  private boolean allowed(long word, boolean write, Limits limits) {
    if (geometry.stage() == Stage.STAGE2) {
      int needed = write ? DescriptorLayout.S2AP_WRITE : DescriptorLayout.S2AP_READ;
      return (DescriptorLayout.S2_AP.getInt(word) & needed) != 0
          || (write && options.dirtyUpdated && DescriptorLayout.S2_DBM.isSet(word));
    }
    int ap = DescriptorLayout.AP.getInt(word);
    boolean unprivileged =
        ap == DescriptorLayout.AP_READ_WRITE || ap == DescriptorLayout.AP_READ_ONLY;
    boolean dirty = options.dirtyUpdated && DescriptorLayout.DBM.isSet(word);
    boolean writable = (ap < DescriptorLayout.AP_PRIVILEGED_READ_ONLY || dirty) && !limits.readOnly;
    return (options.privileged || (unprivileged && !limits.privilegedOnly)) && (!write || writable);
  }

  private boolean device(long word) {
    if (geometry.stage() == Stage.STAGE2) {
      return DescriptorLayout.S2_MEM_ATTR.getInt(word) <= DescriptorLayout.MEM_ATTR_LAST_DEVICE;
    }
    int index = DescriptorLayout.ATTR_INDX.getInt(word);
    return ((options.mair >>> (index * Byte.SIZE)) & 0xf0) == 0;
  }

  private long address(long word) {
    return hasTopBits()
        ? DescriptorLayout.ADDRESS_51_16.get(word)
        : Descriptors.address(geometry, word);
  }

  private boolean hasTopBits() {
    return options.wide && geometry.granule().equals(Granule.K64);
  }

  private boolean tooWide(long address) {
    return !geometry.outputHolds(new AddressRange(address, address));
  }

  private VmsaOutcome tooWideAt(int level, long address, String what) {
    return new VmsaOutcome.AddressSize(
        level,
        new Pa(address),
        "%s at 0x%x is wider than the %d-bit output"
            .formatted(what, address, geometry.outputBits()));
  }
}
