package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.pci.Groups.Group;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Linux pci_device_group, PCIe 6.12: who cannot be kept apart")
class GroupsTest {
  private final List<PciFunction> functions = new ArrayList<>();

  private void add(String sbdf, SpaceBuilder space) {
    functions.add(PciFunction.of(Sbdf.parse(sbdf), space.image(), sbdf));
  }

  private List<Group> derive(AcsAssumption assumption) {
    return Groups.derive(PciTopology.of(functions), assumption);
  }

  private String groups() {
    return text(derive(AcsAssumption.AS_CAPTURED));
  }

  private static String text(List<Group> groups) {
    return groups.stream()
        .map(g ->
            String.join("+", g.functions().stream().map(s -> s.toString().substring(5)).toList()))
        .sorted(Comparator.naturalOrder())
        .reduce((a, b) -> a + " " + b)
        .orElse("");
  }

  private static SpaceBuilder endpoint() {
    return SpaceBuilder.endpoint().express(PortType.ENDPOINT);
  }

  private static SpaceBuilder port(PortType type, int bus, int secondary, int subordinate) {
    return SpaceBuilder.bridge(bus, secondary, subordinate).express(type);
  }

  @Test
  void aRootPortWithEveryServiceOnKeepsItsEndpointApart() {
    add("00:01.0", port(PortType.ROOT_PORT, 0, 1, 1).acs(0x1f, 0x1d));
    add("01:00.0", endpoint());
    assertEquals("00:01.0 01:00.0", groups());
  }

  @Test
  void eachMissingServiceJoinsThemAndIsNamed() {
    for (AcsService s : AcsService.ISOLATION) {
      functions.clear();
      add("00:01.0", port(PortType.ROOT_PORT, 0, 1, 1).acs(0x1f, 0x1d & ~(int) s.control().mask()));
      add("01:00.0", endpoint());
      List<Group> g = derive(AcsAssumption.AS_CAPTURED);
      assertEquals("00:01.0+01:00.0", text(g));
      assertTrue(
          g.getFirst()
              .because()
              .contains("root port 0000:00:01.0 has ACS %s (%s) off".formatted(s, s.words())),
          g.toString());
    }
  }

  @Test
  void aServiceThatThePortDoesNotOfferCountsAsWiredOn() {
    add("00:01.0", port(PortType.ROOT_PORT, 0, 1, 1).acs(0x1, 0x1));
    add("01:00.0", endpoint());
    assertEquals("00:01.0 01:00.0", groups());
  }

  @Test
  void whatIsOffInACaptureWithoutIommuIsAssumedOnAndSaidSo() {
    add("00:01.0", port(PortType.ROOT_PORT, 0, 1, 1).acs(0x1f, 0));
    add("01:00.0", endpoint());
    assertEquals(AcsAssumption.KERNEL_ENABLES, AcsAssumption.fitting(PciTopology.of(functions)));
    assertEquals("00:01.0+01:00.0", groups());
    List<Group> assumed = derive(AcsAssumption.KERNEL_ENABLES);
    assertEquals("00:01.0 01:00.0", text(assumed));
    assertTrue(assumed.get(1).because().toString().contains("assumed"), assumed.toString());
  }

  @Test
  void aRootPortWithoutTheCapabilityJoinsAllBelow() {
    add("00:01.0", port(PortType.ROOT_PORT, 0, 1, 4));
    add("01:00.0", port(PortType.UPSTREAM_PORT, 1, 2, 4));
    add("02:00.0", port(PortType.DOWNSTREAM_PORT, 2, 3, 3).acs(0x1d, 0x1d));
    add("02:01.0", port(PortType.DOWNSTREAM_PORT, 2, 4, 4).acs(0x1d, 0x1d));
    add("03:00.0", endpoint());
    add("04:00.0", endpoint());
    add("00:02.0", endpoint());
    assertEquals("00:01.0+01:00.0+02:00.0+02:01.0+03:00.0+04:00.0 00:02.0", groups());
  }

  @Test
  void oneDownstreamPortWithoutServicesJoinsOnlyItsOwnEndpoint() {
    add("00:01.0", port(PortType.ROOT_PORT, 0, 1, 4).acs(0x1d, 0x1d));
    add("01:00.0", port(PortType.UPSTREAM_PORT, 1, 2, 4));
    add("02:00.0", port(PortType.DOWNSTREAM_PORT, 2, 3, 3));
    add("02:01.0", port(PortType.DOWNSTREAM_PORT, 2, 4, 4).acs(0x1d, 0x1d));
    add("03:00.0", endpoint());
    add("04:00.0", endpoint());
    assertEquals("00:01.0 01:00.0 02:00.0+03:00.0 02:01.0 04:00.0", groups());
  }

  @Test
  void functionsOfOneDeviceShareAGroupUnlessBothIsolate() {
    add("00:01.0", endpoint().multiFunction());
    add("00:01.1", endpoint().multiFunction());
    add("00:01.2", endpoint().multiFunction().acs(0x0c, 0x0c));
    assertEquals("00:01.0+00:01.1 00:01.2", groups());
    add(
        "00:02.0",
        SpaceBuilder.endpoint().ids(0x8086, 0x10c9).express(PortType.ENDPOINT).multiFunction());
    add(
        "00:02.1",
        SpaceBuilder.endpoint().ids(0x8086, 0x10c9).express(PortType.ENDPOINT).multiFunction());
    assertEquals("00:01.0+00:01.1 00:01.2 00:02.0 00:02.1", groups());
  }

  @Test
  void rootPortsOfOneDeviceWithoutTheCapabilityShareAGroupWithAllBelow() {
    add("00:1c.0", port(PortType.ROOT_PORT, 0, 1, 1).multiFunction());
    add("00:1c.1", port(PortType.ROOT_PORT, 0, 2, 2).multiFunction());
    add("01:00.0", endpoint());
    add("02:00.0", endpoint());
    assertEquals("00:1c.0+00:1c.1+01:00.0+02:00.0", groups());
    functions.clear();
    add(
        "00:1c.0",
        SpaceBuilder.bridge(0, 1, 1)
            .ids(0x8086, 0x8c10)
            .express(PortType.ROOT_PORT)
            .multiFunction());
    add(
        "00:1c.1",
        SpaceBuilder.bridge(0, 2, 2)
            .ids(0x8086, 0x8c12)
            .express(PortType.ROOT_PORT)
            .multiFunction());
    add("01:00.0", endpoint());
    add("02:00.0", endpoint());
    assertEquals("00:1c.0 00:1c.1 01:00.0 02:00.0", groups());
  }

  @Test
  void everyoneBehindAPciBridgeSharesItsGroupWhichPortsAboveKeepApart() {
    add("00:02.0", port(PortType.ROOT_PORT, 0, 5, 7).acs(0x1d, 0x1d));
    add("05:00.0", port(PortType.PCIE_TO_PCI_BRIDGE, 5, 6, 7));
    add("06:01.0", SpaceBuilder.endpoint());
    add("06:03.0", SpaceBuilder.bridge(6, 7, 7));
    add("07:04.0", SpaceBuilder.endpoint());
    assertEquals("00:02.0 05:00.0+06:01.0+06:03.0+07:04.0", groups());
    PciTopology t = PciTopology.of(functions);
    List<Integer> ids =
        DmaAliases.of(t, t.function(Sbdf.parse("07:04.0")).orElseThrow()).stream()
            .map(DmaAliases.Alias::requesterId)
            .toList();
    assertEquals(List.of(0x720, 0x618, 0x600), ids);
    assertEquals(OptionalInt.of(7), lastBus(t, "07:04.0"));
    assertEquals(OptionalInt.of(6), lastBus(t, "06:01.0"));
    assertEquals(OptionalInt.empty(), lastBus(t, "05:00.0"));
  }

  private static OptionalInt lastBus(PciTopology t, String function) {
    return DmaAliases.lastBus(t, t.function(Sbdf.parse(function)).orElseThrow());
  }

  @Test
  void aConventionalBridgeOnTheRootBusSendsUnderItsOwnId() {
    add("00:1e.0", SpaceBuilder.bridge(0, 1, 1));
    add("01:00.0", SpaceBuilder.endpoint());
    add("01:01.0", SpaceBuilder.endpoint());
    assertEquals("00:1e.0+01:00.0+01:01.0", groups());
    PciTopology t = PciTopology.of(functions);
    assertEquals(
        0xf0, DmaAliases.atRootComplex(t, t.function(Sbdf.parse("01:01.0")).orElseThrow()));
    assertEquals(OptionalInt.empty(), lastBus(t, "01:01.0"));
  }

  @Test
  void aBridgeFromConventionalPciToPciExpressSendsUnderItsOwnId() {
    add("00:1e.0", port(PortType.PCI_TO_PCIE_BRIDGE, 0, 1, 1));
    add("01:00.0", endpoint());
    PciTopology t = PciTopology.of(functions);
    assertEquals(
        List.of(0x100, 0xf0),
        DmaAliases.of(t, t.function(Sbdf.parse("01:00.0")).orElseThrow()).stream()
            .map(DmaAliases.Alias::requesterId)
            .toList());
  }

  @Test
  void aBridgeWhoseKindCannotBeSeenLeavesTheRequesterIdAndIsNamed() {
    add("00:1e.0", SpaceBuilder.bridge(0, 1, 1).express(PortType.ROOT_PORT).truncate(64));
    add("01:00.0", SpaceBuilder.endpoint());
    PciTopology t = PciTopology.of(functions);
    PciFunction below = t.function(Sbdf.parse("01:00.0")).orElseThrow();
    assertEquals(0x100, DmaAliases.atRootComplex(t, below));
    assertEquals(
        "00:1e.0", DmaAliases.doubt(t, below).orElseThrow().owner().toString().substring(5));
  }

  @Test
  void virtualFunctionsStandAloneBelowAnIsolatingPort() {
    add("00:01.0", port(PortType.ROOT_PORT, 0, 1, 2).acs(0x1d, 0x1d));
    add("01:00.0", endpoint().sriov(3, 0x180, 2, 0x10ca));
    for (String vf : List.of("02:10.0", "02:10.2", "02:10.4")) {
      add(vf, SpaceBuilder.endpoint().ids(0xffff, 0xffff).express(PortType.ENDPOINT));
    }
    List<PciFunction> all = List.copyOf(functions);
    // Without being told, a header that reads as all ones is nothing; sysfs tells which functions
    // are VFs.
    PciTopology blind = PciTopology.of(all);
    assertEquals(2, blind.functions().size());
    functions.replaceAll(f ->
        f.sbdf().bus() == 2
            ? PciFunction.virtual(f.sbdf(), f.config(), "vf", Sbdf.parse("01:00.0"))
            : f);
    assertEquals("00:01.0 01:00.0 02:10.0 02:10.2 02:10.4", groups());
    PciTopology t = PciTopology.of(functions);
    PciFunction vf = t.function(Sbdf.parse("02:10.2")).orElseThrow();
    assertEquals(0x10ca, t.device(vf));
    assertEquals(Optional.of(Sbdf.parse("01:00.0")), t.physicalFunction(vf).map(PciFunction::sbdf));
    assertTrue(
        t.parent(vf) instanceof PciTopology.Parent.Bridge(PciFunction b)
            && b.sbdf().equals(Sbdf.parse("00:01.0")));
    assertFalse(t.isMultiFunction(vf));
  }

  @Test
  void integratedEndpointsOfIntelStandAlone() {
    add(
        "00:04.0",
        SpaceBuilder.endpoint()
            .ids(0x8086, 0x0b25)
            .express(PortType.ROOT_COMPLEX_ENDPOINT)
            .multiFunction());
    add(
        "00:04.1",
        SpaceBuilder.endpoint()
            .ids(0x8086, 0x0b25)
            .express(PortType.ROOT_COMPLEX_ENDPOINT)
            .multiFunction());
    add(
        "00:05.0",
        SpaceBuilder.endpoint()
            .ids(0x1234, 0x0001)
            .express(PortType.ROOT_COMPLEX_ENDPOINT)
            .multiFunction());
    add(
        "00:05.1",
        SpaceBuilder.endpoint()
            .ids(0x1234, 0x0001)
            .express(PortType.ROOT_COMPLEX_ENDPOINT)
            .multiFunction());
    assertEquals("00:04.0 00:04.1 00:05.0+00:05.1", groups());
  }

  @Test
  void sunrisePointPortsKeepTheirControlRegisterElsewhere() {
    add(
        "00:1c.0",
        SpaceBuilder.bridge(0, 1, 1)
            .ids(0x8086, 0xa110)
            .express(PortType.ROOT_PORT)
            .acsWide(0x1f, 0x1d));
    add("01:00.0", endpoint());
    assertEquals("00:1c.0 01:00.0", groups());
  }

  @Test
  void aFunctionWhoseBridgeIsNotGivenIsPlacedAndMarkedUncertain() {
    add("00:00.0", SpaceBuilder.endpoint().hostBridge());
    add("07:00.0", endpoint());
    List<Group> g = derive(AcsAssumption.AS_CAPTURED);
    assertEquals("00:00.0 07:00.0", text(g));
    assertTrue(g.get(0).certain());
    assertFalse(g.get(1).certain());
    assertTrue(g.get(1).because().toString().contains("leads to bus 0000:07"), g.toString());
  }

  @Test
  void aPortWhoseExtendedSpaceWasNotCapturedCountsAsNotIsolatingAndIsMarked() {
    add("00:01.0", port(PortType.ROOT_PORT, 0, 1, 1).acs(0x1d, 0x1d).truncate(256));
    add("01:00.0", endpoint());
    List<Group> g = derive(AcsAssumption.AS_CAPTURED);
    assertEquals("00:01.0+01:00.0", text(g));
    assertFalse(g.getFirst().certain());
  }

  @Test
  void functionsThatNoIommuTranslatesAreInNoGroupAndJoinNobody() {
    add("00:01.0", port(PortType.ROOT_PORT, 0, 1, 1));
    add("01:00.0", endpoint());
    PciTopology t = PciTopology.of(functions);
    assertEquals(
        "01:00.0", text(Groups.derive(t, AcsAssumption.AS_CAPTURED, s -> s.bus() == 1, List.of())));
  }

  @Test
  void busNumbersThatCannotBeAreOdditiesAndEndNoWalk() {
    add("00:01.0", port(PortType.ROOT_PORT, 0, 1, 1).acs(0x1d, 0x1d));
    add("01:00.0", port(PortType.UPSTREAM_PORT, 1, 1, 1));
    add("01:01.0", port(PortType.UPSTREAM_PORT, 1, 0, 0));
    add("00:02.0", port(PortType.ROOT_PORT, 0, 1, 1));
    PciTopology t = PciTopology.of(functions);
    assertEquals(2, t.oddities().size(), t.oddities().toString());
    assertEquals(
        4,
        Groups.derive(t, AcsAssumption.AS_CAPTURED).stream()
            .mapToInt(g -> g.functions().size())
            .sum());
  }

  @Test
  void aBridgeThatLeadsToItsOwnBusOrBackwardsLeadsNowhere() {
    add("00:01.0", port(PortType.ROOT_PORT, 0, 0, 3));
    add("02:01.0", port(PortType.ROOT_PORT, 2, 2, 2));
    add("02:02.0", port(PortType.ROOT_PORT, 2, 1, 1));
    add("02:03.0", port(PortType.ROOT_PORT, 2, 5, 4));
    add("05:00.0", endpoint());
    PciTopology t = PciTopology.of(functions);
    assertEquals(3, t.oddities().size(), t.oddities()::toString);
    for (PciFunction f : t.functions()) {
      assertEquals(List.of(), t.path(f));
    }
    assertEquals(5, derive(AcsAssumption.AS_CAPTURED).size());
  }

  @Test
  void vfsOfALaterSegmentAreFoundThere() {
    add("0003:00:01.0", port(PortType.ROOT_PORT, 0, 1, 2).acs(0x1f, 0x1d));
    add("0003:01:00.0", endpoint().sriov(2, 0x180, 2, 0x10ca));
    PciTopology t = PciTopology.of(functions);
    PciFunction vf = PciFunction.of(Sbdf.parse("0003:02:10.0"), functions.getFirst().config(), "");
    assertTrue(t.isVirtual(vf));
    assertEquals(Optional.of("0003:01:00.0"), t.physicalFunction(vf).map(f -> f.toString()));
    assertFalse(t.isVirtual(PciFunction.of(Sbdf.parse("0000:02:10.0"), vf.config(), "")));
  }
}
