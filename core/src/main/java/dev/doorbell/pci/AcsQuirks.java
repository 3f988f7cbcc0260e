package dev.doorbell.pci;

import java.util.List;
import java.util.Optional;

/// Devices that isolate without an ACS capability, or whose capability is laid out wrongly, as Linux knows them.
///
/// **Source**: Linux 6.18, `drivers/pci/quirks.c`, `pci_dev_acs_enabled`, where each vendor's statement is cited.
public final class AcsQuirks {
  private AcsQuirks() {}

  /// What a quirk says.
  ///
  /// @param isolates whether the function counts as isolating
  /// @param because why
  public record Verdict(boolean isolates, String because) {}

  private enum Rule {
    /// A function of a south bridge on the root bus that sends everything upstream.
    SOUTH_BRIDGE,
    /// Functions of one device that do not reach each other.
    MULTI_FUNCTION,
    /// A port that isolates.
    PORT,
    /// The same, if it is a root port.
    ROOT_PORT,
    /// Root complex integrated endpoint: peers are reached through translation only.
    INTEGRATED,
    /// ACS registers laid out as doublewords.
    WIDE_REGISTERS
  }

  private record Fact(int vendor, int first, int last, Rule rule) {
    boolean holds(int v, int d) {
      return v == vendor && d >= first && d <= last;
    }
  }

  private static final int INTEL = 0x8086;
  private static final int NXP = 0x1957;
  private static final int ZHAOXIN = 0x1d17;
  private static final int WANGXUN = 0x8088;
  private static final int ANY = 0xffff;

  // spotless:off
  private static final List<Fact> FACTS = List.of(
      one(0x1002, 0x4383, Rule.SOUTH_BRIDGE), one(0x1002, 0x4384, Rule.SOUTH_BRIDGE), one(0x1002, 0x4385, Rule.SOUTH_BRIDGE),
      one(0x1002, 0x4399, Rule.SOUTH_BRIDGE), one(0x1002, 0x439c, Rule.SOUTH_BRIDGE), one(0x1002, 0x439d, Rule.SOUTH_BRIDGE),
      one(0x1022, 0x7809, Rule.SOUTH_BRIDGE), one(0x1022, 0x780f, Rule.SOUTH_BRIDGE),
      one(0x1924, 0x0903, Rule.MULTI_FUNCTION), one(0x1924, 0x0923, Rule.MULTI_FUNCTION), one(0x1924, 0x0a03, Rule.MULTI_FUNCTION),
      // Intel 8259x, 82571, 82575, 82576, 82580, I350, I219
      one(INTEL, 0x105e, Rule.MULTI_FUNCTION), one(INTEL, 0x105f, Rule.MULTI_FUNCTION), one(INTEL, 0x1060, Rule.MULTI_FUNCTION),
      one(INTEL, 0x10a7, Rule.MULTI_FUNCTION), one(INTEL, 0x10a9, Rule.MULTI_FUNCTION), one(INTEL, 0x10c6, Rule.MULTI_FUNCTION),
      one(INTEL, 0x10c9, Rule.MULTI_FUNCTION), one(INTEL, 0x10d6, Rule.MULTI_FUNCTION), one(INTEL, 0x10d9, Rule.MULTI_FUNCTION),
      one(INTEL, 0x10db, Rule.MULTI_FUNCTION), one(INTEL, 0x10dd, Rule.MULTI_FUNCTION), one(INTEL, 0x10e1, Rule.MULTI_FUNCTION),
      run(INTEL, 0x10e6, 0x10e8, Rule.MULTI_FUNCTION), one(INTEL, 0x10f1, Rule.MULTI_FUNCTION), run(INTEL, 0x10f7, 0x10fc, Rule.MULTI_FUNCTION),
      one(INTEL, 0x1507, Rule.MULTI_FUNCTION), run(INTEL, 0x1509, 0x150a, Rule.MULTI_FUNCTION), run(INTEL, 0x150d, 0x1511, Rule.MULTI_FUNCTION),
      one(INTEL, 0x1514, Rule.MULTI_FUNCTION), one(INTEL, 0x1516, Rule.MULTI_FUNCTION), one(INTEL, 0x1518, Rule.MULTI_FUNCTION),
      one(INTEL, 0x151c, Rule.MULTI_FUNCTION), run(INTEL, 0x1521, 0x1524, Rule.MULTI_FUNCTION), run(INTEL, 0x1526, 0x1527, Rule.MULTI_FUNCTION),
      run(INTEL, 0x1529, 0x152a, Rule.MULTI_FUNCTION), one(INTEL, 0x154d, Rule.MULTI_FUNCTION), one(INTEL, 0x154f, Rule.MULTI_FUNCTION),
      one(INTEL, 0x1551, Rule.MULTI_FUNCTION), one(INTEL, 0x1558, Rule.MULTI_FUNCTION), run(INTEL, 0x15b7, 0x15b8, Rule.MULTI_FUNCTION),
      run(INTEL, 0, ANY, Rule.INTEGRATED),
      // Qualcomm QDF2xxx and SA8775P, HXT SD4800
      run(0x17cb, 0x0400, 0x0401, Rule.PORT), one(0x17cb, 0x0115, Rule.PORT), one(0x1dbf, 0x0401, Rule.PORT),
      // Intel PCH: Ibex Peak, Cougar Point, Panther Point, Lynx Point, Wildcat Point, Patsburg, Wellsburg, Lynx Point 9 series
      run(INTEL, 0x3b42, 0x3b51, Rule.ROOT_PORT), run(INTEL, 0x1c10, 0x1c1f, Rule.ROOT_PORT), run(INTEL, 0x1e10, 0x1e1f, Rule.ROOT_PORT),
      run(INTEL, 0x8c10, 0x8c1f, Rule.ROOT_PORT), run(INTEL, 0x9c10, 0x9c1b, Rule.ROOT_PORT), run(INTEL, 0x9c90, 0x9c9b, Rule.ROOT_PORT),
      one(INTEL, 0x1d10, Rule.ROOT_PORT), one(INTEL, 0x1d12, Rule.ROOT_PORT), one(INTEL, 0x1d14, Rule.ROOT_PORT), one(INTEL, 0x1d16, Rule.ROOT_PORT),
      one(INTEL, 0x1d18, Rule.ROOT_PORT), one(INTEL, 0x1d1a, Rule.ROOT_PORT), one(INTEL, 0x1d1c, Rule.ROOT_PORT), one(INTEL, 0x1d1e, Rule.ROOT_PORT),
      run(INTEL, 0x8d10, 0x8d1e, Rule.ROOT_PORT),
      one(INTEL, 0x8c90, Rule.ROOT_PORT), one(INTEL, 0x8c92, Rule.ROOT_PORT), one(INTEL, 0x8c94, Rule.ROOT_PORT), one(INTEL, 0x8c96, Rule.ROOT_PORT),
      one(INTEL, 0x8c98, Rule.ROOT_PORT), one(INTEL, 0x8c9a, Rule.ROOT_PORT), one(INTEL, 0x8c9c, Rule.ROOT_PORT), one(INTEL, 0x8c9e, Rule.ROOT_PORT),
      // Intel Sunrise Point, Union Point, 7th and 8th generation mobile
      run(INTEL, 0xa110, 0xa11f, Rule.WIDE_REGISTERS), run(INTEL, 0xa167, 0xa16a, Rule.WIDE_REGISTERS),
      run(INTEL, 0xa290, 0xa29f, Rule.WIDE_REGISTERS), run(INTEL, 0xa2e7, 0xa2ee, Rule.WIDE_REGISTERS), run(INTEL, 0x9d10, 0x9d1b, Rule.WIDE_REGISTERS),
      one(0x19a2, 0x0710, Rule.MULTI_FUNCTION), one(0x10df, 0x0720, Rule.MULTI_FUNCTION),
      // Cavium ThunderX, ThunderX2, ThunderX3
      run(0x177d, 0xa000, 0xa7ff, Rule.ROOT_PORT), one(0x177d, 0xaf84, Rule.ROOT_PORT), one(0x177d, 0xb884, Rule.ROOT_PORT),
      one(0x177d, 0xa026, Rule.MULTI_FUNCTION), one(0x177d, 0xa059, Rule.MULTI_FUNCTION), one(0x177d, 0xa060, Rule.MULTI_FUNCTION),
      one(0x10e8, 0xe004, Rule.PORT), run(0x1def, 0xe005, 0xe00c, Rule.PORT),
      one(0x14e4, 0x16d7, Rule.MULTI_FUNCTION), run(0x14e4, 0x1750, 0x1752, Rule.MULTI_FUNCTION), run(0x14e4, 0x1760, 0x1763, Rule.MULTI_FUNCTION),
      one(0x14e4, 0xd714, Rule.PORT),
      // Loongson
      one(0x0014, 0x3c09, Rule.PORT), one(0x0014, 0x3c19, Rule.PORT), one(0x0014, 0x3c29, Rule.PORT), one(0x0014, 0x7a09, Rule.PORT),
      one(0x0014, 0x7a19, Rule.PORT), one(0x0014, 0x7a29, Rule.PORT), one(0x0014, 0x7a39, Rule.PORT), one(0x0014, 0x7a49, Rule.PORT),
      one(0x0014, 0x7a59, Rule.PORT), one(0x0014, 0x7a69, Rule.PORT),
      one(0x1c36, 0x0031, Rule.ROOT_PORT),
      one(ZHAOXIN, 0x3038, Rule.MULTI_FUNCTION), one(ZHAOXIN, 0x3104, Rule.MULTI_FUNCTION), one(ZHAOXIN, 0x9083, Rule.MULTI_FUNCTION),
      // NXP LX2160A, LX2120A, LX2080A and their variants
      run(NXP, 0x8d80, 0x8d83, Rule.PORT), run(NXP, 0x8d88, 0x8d8b, Rule.PORT), run(NXP, 0x8d90, 0x8d93, Rule.PORT), run(NXP, 0x8d98, 0x8d9b, Rule.PORT),
      run(NXP, 0x8da0, 0x8da1, Rule.PORT), run(NXP, 0x8da8, 0x8da9, Rule.PORT), run(NXP, 0x8db0, 0x8db1, Rule.PORT), run(NXP, 0x8db8, 0x8db9, Rule.PORT));

  /// Of these vendors Linux knows every port or function: one that is not listed does not isolate.
  private static final List<Fact> ZHAOXIN_PORTS = List.of(
      run(ZHAOXIN, 0x0710, 0x071e, Rule.PORT), one(ZHAOXIN, 0x0721, Rule.PORT), run(ZHAOXIN, 0x0723, 0x0752, Rule.PORT));
  private static final List<Fact> WANGXUN_NICS = List.of(
      run(WANGXUN, 0x0100, 0x010f, Rule.MULTI_FUNCTION), one(WANGXUN, 0x1001, Rule.MULTI_FUNCTION), one(WANGXUN, 0x2001, Rule.MULTI_FUNCTION),
      one(WANGXUN, 0x5010, Rule.MULTI_FUNCTION), one(WANGXUN, 0x5025, Rule.MULTI_FUNCTION), one(WANGXUN, 0x5040, Rule.MULTI_FUNCTION),
      one(WANGXUN, 0x5110, Rule.MULTI_FUNCTION), one(WANGXUN, 0x5125, Rule.MULTI_FUNCTION), one(WANGXUN, 0x5140, Rule.MULTI_FUNCTION));
  // spotless:on

  /// {@return what is known of a function, if a quirk applies to it}
  static Optional<Verdict> of(PciTopology topology, PciFunction f, boolean assumeEnabled) {
    int vendor = topology.vendor(f);
    int device = topology.device(f);
    Optional<PortType> type = f.portType().thing();
    for (Fact fact : FACTS) {
      if (fact.holds(vendor, device)) {
        Optional<Verdict> v = apply(fact.rule(), topology, f, type, assumeEnabled);
        if (v.isPresent()) {
          return v;
        }
      }
    }
    if (vendor == ZHAOXIN && type.filter(AcsQuirks::isPort).isPresent()) {
      return Optional.of(listed(ZHAOXIN_PORTS, vendor, device, f));
    }
    return vendor == WANGXUN
        ? Optional.of(listed(WANGXUN_NICS, vendor, device, f))
        : Optional.empty();
  }

  private static Optional<Verdict> apply(
      Rule rule,
      PciTopology topology,
      PciFunction f,
      Optional<PortType> type,
      boolean assumeEnabled) {
    return switch (rule) {
      case SOUTH_BRIDGE ->
          topology.isMultiFunction(f)
                  && topology.parent(f) instanceof PciTopology.Parent.RootComplex
              ? Optional.of(yes(f, "its south bridge sends everything to the root complex"))
              : Optional.empty();
      case MULTI_FUNCTION ->
          Optional.of(yes(f, "its vendor states that its functions do not reach each other"));
      case PORT ->
          Optional.of(yes(f, "its vendor states that the port isolates without an ACS capability"));
      case ROOT_PORT ->
          type.filter(t -> t == PortType.ROOT_PORT)
              .map(_ ->
                  yes(
                      f,
                      "its vendor states that the root port isolates without an ACS capability"));
      case INTEGRATED ->
          type.filter(t -> t == PortType.ROOT_COMPLEX_ENDPOINT)
              .map(_ ->
                  yes(
                      f,
                      "a root complex integrated endpoint reaches peers only through translation (VT-d 3.16)"));
      case WIDE_REGISTERS ->
          type.filter(t -> t == PortType.ROOT_PORT).flatMap(_ -> wide(f, assumeEnabled));
    };
  }

  /// The errata's layout: capability and control are doublewords, the control at offset 8.
  private static Optional<Verdict> wide(PciFunction f, boolean assumeEnabled) {
    return f.acs()
        .thing()
        .filter(a -> a.offset() + 12 <= f.config().size())
        .map(a -> {
          long capability = f.config().read32(a.offset() + 4);
          long control = f.config().read32(a.offset() + 8);
          boolean all =
              AcsService.ISOLATION.stream()
                  .filter(s -> s.capability().isSet(capability))
                  .allMatch(s -> assumeEnabled || s.control().isSet(control));
          return new Verdict(
              all,
              "%s lays its ACS registers out as doublewords; read so, isolation is %s"
                  .formatted(f, all ? "on" : "off"));
        });
  }

  private static Verdict listed(List<Fact> facts, int vendor, int device, PciFunction f) {
    return facts.stream().anyMatch(x -> x.holds(vendor, device))
        ? yes(f, "its vendor states that it isolates without an ACS capability")
        : new Verdict(
            false, "%s is not among the devices that its vendor states to isolate".formatted(f));
  }

  private static boolean isPort(PortType t) {
    return t == PortType.ROOT_PORT || t == PortType.DOWNSTREAM_PORT;
  }

  private static Verdict yes(PciFunction f, String why) {
    return new Verdict(true, f + ": " + why);
  }

  private static Fact one(int vendor, int device, Rule rule) {
    return new Fact(vendor, device, device, rule);
  }

  private static Fact run(int vendor, int first, int last, Rule rule) {
    return new Fact(vendor, first, last, rule);
  }
}
