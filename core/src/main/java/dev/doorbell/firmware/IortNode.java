package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.OptionalInt;

/// A node of an IORT.
///
/// **Source**: DEN 0049 issue E.f, 3.
///
/// @param offset from the table's start, which is how other nodes refer to it
/// @param mappings input ids to ids at another node
record IortNode(
    int offset, int type, int revision, Body body, List<IdMapping> mappings, Source source) {
  static final int ITS_GROUP = 0;
  static final int NAMED_COMPONENT = 1;
  static final int ROOT_COMPLEX = 2;
  static final int SMMU = 3;
  static final int SMMU3 = 4;
  static final int PMCG = 5;
  static final int RMR = 6;

  /// An id mapping as the table has it.
  ///
  /// @param count the table's "number of IDs" word, which is one less than their number
  /// @param target offset of the node that it maps to
  record IdMapping(
      long firstIn, long count, long firstOut, long target, boolean single, Source source) {}

  /// What the node's type adds.
  sealed interface Body {}

  /// ITSes that share one mapping.
  record ItsGroup(List<Long> ids) implements Body {}

  /// A device of the namespace that is not a PCI function.
  record NamedComponent(String name, boolean coherent, int addressBits) implements Body {}

  /// A PCI root complex.
  ///
  /// @param addressBits memory address size limit; 0 when the table does not tell
  record RootComplex(int segment, boolean coherent, boolean ats, boolean pri, int addressBits)
      implements Body {}

  /// SMMUv1 or SMMUv2.
  ///
  /// @param model 0 SMMUv1, 1 SMMUv2, 2 MMU-400, 3 MMU-500, 4 MMU-401, 5 Cavium ThunderX
  record Smmu(long base, long span, long model, boolean coherent) implements Body {}

  /// SMMUv3.
  ///
  /// @param model 0 generic, 1 HiSilicon hi161x, 2 Cavium CN99xx
  /// @param ownMapping index of the mapping for the SMMU's own MSIs, which no device uses
  record Smmu3(long base, long model, boolean coherent, OptionalInt ownMapping) implements Body {}

  /// Performance counters of an SMMU.
  record Pmcg(long base, long of) implements Body {}

  /// Memory that devices access before an operating system runs.
  record ReservedMemory(boolean remapPermitted, List<Range> ranges) implements Body {
    record Range(AddressRange range, Source source) {}
  }

  /// A type that this reader does not know.
  record Unknown() implements Body {}
}
