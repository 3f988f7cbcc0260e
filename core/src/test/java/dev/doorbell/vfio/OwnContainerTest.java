package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.hw.pcie.BridgeModel;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.IommuGroup.Isolation;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Stream;
import dev.doorbell.iommu.MsiWindowAlreadySet;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.irq.MsiDomain;
import dev.doorbell.irq.MsiRoute;
import dev.doorbell.irq.MsiRoute.Target;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 3: a container of our own stack, from the first group to the last")
class OwnContainerTest {
  private static final AddressRange WINDOW = AddressRange.ofSize(0xa000_0000L, 0x10_0000);
  private static final Sbdf PORT = Sbdf.parse("00:10.0");
  private static final Sbdf BELOW = Sbdf.parse("00:11.0");

  private final OwnLab lab = new OwnLab();
  private final Vfio vfio = lab.vfio();
  private final Group group = vfio.group(lab.msix().getFirst());

  @Test
  @DisplayName(
      "R1: a window that is registered stays so while groups come and go, until it is removed")
  void theRegisteredWindow() {
    for (boolean before : new boolean[] {true, false}) {
      Container c = vfio.open(ContainerOptions.USUAL.withoutAutomaticWindow());
      if (before) {
        c.reserveMsiWindow(WINDOW);
        assertEquals(Optional.of(WINDOW), c.msiWindow());
        c.attach(group);
      } else {
        c.attach(group);
        assertEquals(Optional.empty(), c.msiWindow());
        c.reserveMsiWindow(WINDOW);
      }
      c.detach(group);
      assertEquals(Optional.of(WINDOW), c.msiWindow());
      assertThrows(MsiWindowAlreadySet.class, () -> c.reserveMsiWindow(WINDOW));
      c.attach(group);
      assertEquals(Optional.of(WINDOW), c.msiWindow());
      c.removeMsiWindow();
      assertThrows(IllegalStateException.class, c::removeMsiWindow);
      c.detach(group);
      assertEquals(Optional.empty(), c.msiWindow());
      assertThrows(IllegalStateException.class, c::removeMsiWindow);
      c.attach(group);
      assertEquals(Optional.empty(), c.msiWindow());
      c.detach(group);
      c.reserveMsiWindow(WINDOW);
      c.removeMsiWindow();
      assertEquals(Optional.empty(), c.msiWindow());
      c.close();
    }
  }

  @Test
  @DisplayName("an automatic window comes with the first group and goes with the last")
  void theAutomaticWindow() {
    Container c = vfio.open(ContainerOptions.USUAL);
    assertEquals(Optional.empty(), c.msiWindow());
    c.attach(group);
    AddressRange window = c.msiWindow().orElseThrow();
    assertTrue(
        c.reserved().stream()
            .anyMatch(r -> r.kind() == ReservedRegion.Kind.SW_MSI && r.range().equals(window)));
    c.detach(group);
    assertEquals(Optional.empty(), c.msiWindow());
    c.reserveMsiWindow(WINDOW);
    c.attach(group);
    assertEquals(Optional.of(WINDOW), c.msiWindow(), "the registered one has priority");
    c.close();
  }

  @Test
  @DisplayName("with the last group mappings go, and the buffers can be given back")
  void mappingsGoWithTheLastGroup() {
    int spaces = lab.iommu.openSpaces();
    Container c = vfio.open(ContainerOptions.USUAL);
    c.attach(group);
    DmaBuffer b = c.allocate(0x1000);
    c.map(new Iova(0x10_0000), b, Protection.READ_WRITE);
    assertThrows(InUse.class, b::close);
    c.detach(group);
    assertEquals(spaces, lab.iommu.openSpaces());
    b.close();
    c.attach(group);
    assertEquals(0, c.unmap(AddressRange.ofSize(0, 0x100_0000)));
    c.close();
    assertEquals(spaces, lab.iommu.openSpaces());
  }

  private MsiRoute route(int id) {
    return new MsiRoute(List.of(new Target(lab.its0, id, lab.its0.frame())), 4, OwnLab.TEST);
  }

  private Member member(Sbdf f) {
    return member(lab, f);
  }

  private static Member member(OwnLab in, Sbdf f) {
    return new Member(
        f.toString(),
        List.of(new Stream(in.iommu, f.requesterId())),
        new Isolation(true, "its0", OptionalInt.of(f.requesterId()), OwnLab.TEST));
  }

  @Test
  @DisplayName(
      "a port in a group keeps nobody from it, whatever its driver, and is opened by nobody")
  void ports() {
    IommuGroup both =
        IommuGroup.of(
            0x10, List.of(member(PORT), member(BELOW)), List.of("no ACS"), List.of(), lab.ringers);
    HostFunction port =
        new HostFunction(
            PORT,
            both,
            BridgeModel.create(Optional.of(PortType.ROOT_PORT), 0x1b36, 0xc, false).config(),
            List.of(),
            MsiDomain.behind(both, route(PORT.requesterId())),
            Optional.of("pcieport"),
            () -> {});
    HostFunction below =
        lab.function(BELOW, EndpointSpec.demo(4), both, route(BELOW.requesterId()));
    Vfio here = lab.over(List.of(port, below));
    Group g = here.group(PORT);
    assertEquals(List.of(PORT, BELOW), g.functions());
    assertTrue(g.viability().isViable());
    Container c = here.open(ContainerOptions.USUAL);
    c.attach(g);
    assertThrows(NoSuchFunction.class, () -> g.open(PORT));
    Device d = g.open(BELOW);
    assertEquals(1, d.enable(IrqType.MSIX, 1, List.of(new EventCounter())));
    d.close();
    c.close();
  }

  @Test
  @DisplayName("a group that a domain of the host has is not given away")
  void aDomainOfTheHost() {
    IommuGroup mine =
        IommuGroup.of(0x11, List.of(member(BELOW)), List.of(), List.of(), lab.ringers);
    Vfio here =
        lab.over(
            List.of(lab.function(BELOW, EndpointSpec.demo(4), mine, route(BELOW.requesterId()))));
    Domain host = Domain.create("dma-api", DomainPolicy.HOST, lab.iommu, Granule.K4);
    host.attach(mine);
    Group g = here.group(BELOW);
    assertFalse(g.viability().isViable());
    Container c = here.open(ContainerOptions.USUAL);
    List<Object> before = lab.state();
    NotViable e = assertThrows(NotViable.class, () -> c.attach(g));
    assertTrue(e.refusal().objects().contains("domain dma-api"), e::getMessage);
    assertEquals(before, lab.state());
    assertEquals(Optional.empty(), g.container());
    host.detach(mine);
    c.attach(g);
    assertTrue(g.viability().isViable(), "a container of its own user does no harm");
  }

  @Test
  @DisplayName("R23: a doorbell whose messages bypass the tables needs no window")
  void messagesThatBypass() {
    ReservedRegion msi =
        new ReservedRegion(lab.its0.frame().frame(), ReservedRegion.Kind.MSI, OwnLab.TEST);
    IommuGroup mine =
        IommuGroup.of(0x11, List.of(member(BELOW)), List.of(), List.of(msi), lab.ringers);
    Vfio here =
        lab.over(
            List.of(lab.function(BELOW, EndpointSpec.demo(4), mine, route(BELOW.requesterId()))));
    Container c = here.open(ContainerOptions.USUAL.withoutAutomaticWindow());
    c.attach(here.group(BELOW));
    assertEquals(0, c.msiWindowNeed().pages());
    assertEquals(2, c.msiWindowBound().pages(), "what other controllers' doorbells could need");
    Device d = here.group(BELOW).open(BELOW);
    assertEquals(1, d.enable(IrqType.MSIX, 1, List.of(new EventCounter())));
    assertEquals(Optional.empty(), c.msiWindow());
  }

  @Test
  @DisplayName("a window that a later group brings lies clear of what was mapped before")
  void anAutomaticWindowBesideMappings() {
    Container c = vfio.open(ContainerOptions.USUAL);
    c.attach(group);
    AddressRange usual = c.msiWindow().orElseThrow();
    c.removeMsiWindow();
    DmaBuffer b = c.allocate(0x1000);
    c.map(new Iova(usual.last() - 0xfff), b, Protection.READ_WRITE);
    c.attach(vfio.group(lab.msix().get(1)));
    AddressRange window = c.msiWindow().orElseThrow();
    assertFalse(window.overlaps(usual), window::toString);
    c.close();
  }

  @Test
  @DisplayName("a window that the kernel would have is taken where it is large enough")
  void theWindowOfTheKernel() {
    // Three controllers can need three pages.
    for (long bytes : new long[] {0x2000, 0x3000}) {
      OwnLab other = new OwnLab();
      AddressRange told = AddressRange.ofSize(0x3000_0000, bytes);
      IommuGroup mine =
          IommuGroup.of(
              0x11,
              List.of(member(other, BELOW)),
              List.of(),
              List.of(new ReservedRegion(told, ReservedRegion.Kind.SW_MSI, OwnLab.TEST)),
              other.ringers);
      Vfio here =
          other.over(
              List.of(
                  other.function(BELOW, EndpointSpec.demo(4), mine, route(BELOW.requesterId()))));
      Container c = here.open(ContainerOptions.USUAL);
      c.attach(here.group(BELOW));
      assertEquals(bytes >= 0x3000, c.msiWindow().equals(Optional.of(told)));
    }
  }

  @Test
  @DisplayName(
      "a host is let go of after its containers, and a container after its devices: all of it, or nothing")
  void closing() {
    Container c = vfio.open(ContainerOptions.USUAL);
    c.attach(group);
    Sbdf second = lab.msix().get(1);
    c.attach(vfio.group(second));
    Device d = vfio.group(second).open(second);
    List<Object> before = lab.state();
    assertThrows(InUse.class, c::close);
    assertEquals(2, c.groups().size());
    assertEquals(before, lab.state());
    assertThrows(InUse.class, vfio::close);
    d.close();
    c.close();
    assertEquals(Optional.empty(), group.container());
    vfio.close();
  }

  @Test
  @DisplayName("a buffer's parts are looked at within it, and never give its memory back")
  void buffers() {
    Container c = vfio.open(ContainerOptions.USUAL);
    c.attach(group);
    long free = lab.memory.bytesInUse();
    DmaBuffer b = c.allocate(0x1800);
    assertEquals(0x2000, b.bytes(), "whole granules");
    DmaBuffer part = b.part(new AddressRange(0x1000, 0x1fff));
    part.write(0xff8, 8, 0x1122_3344_5566_7788L);
    assertEquals(0x1122_3344_5566_7788L, b.read(0x1ff8, 8));
    assertThrows(IndexOutOfBoundsException.class, () -> part.read(0xff9, 8));
    assertThrows(IndexOutOfBoundsException.class, () -> part.read(-1, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> b.write(0x2000, 1, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> b.read(0x1fff, new byte[2]));
    assertThrows(IndexOutOfBoundsException.class, () -> b.part(new AddressRange(0x1000, 0x2000)));
    assertThrows(IndexOutOfBoundsException.class, () -> part.part(new AddressRange(0, 0x1000)));
    c.map(new Iova(0x10_0000), part, Protection.READ_WRITE);
    part.close();
    assertThrows(InUse.class, b::close, "a mapped part keeps all of it");
    assertEquals(0x1000, c.unmap(AddressRange.ofSize(0x10_0000, 0x1000)));
    part.close();
    assertEquals(0x1122_3344_5566_7788L, part.read(0xff8, 8));
    b.close();
    b.close();
    assertThrows(IllegalStateException.class, () -> part.read(0, 1));
    assertEquals(free, lab.memory.bytesInUse());
    c.close();
  }
}
