package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.iommu.MsiWindowAlreadySet;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What every implementation of {@link Vfio} does. Run on each; where implementations rightly differ, {@link VfioLab} says which
/// answer is required.
abstract class VfioContract extends MappingContract {
  private static final AddressRange WINDOW = AddressRange.ofSize(0xa000_0000L, 0x10_0000);

  /// {@return whether the window is not the user's to choose; registering one, however small, is then refused}
  private boolean isFixed(Container c) {
    boolean fixed = lab.windowAnswer() == VfioLab.WindowAnswer.FIXED;
    if (fixed) {
      assertThrows(WindowFixedByKernel.class, () -> c.reserveMsiWindow(WINDOW));
      assertThrows(
          WindowFixedByKernel.class,
          () -> c.reserveMsiWindow(AddressRange.ofSize(WINDOW.start(), 0x10)));
    }
    return fixed;
  }

  @Test
  void everyVectorSignalsItsTrigger() {
    Sbdf f = lab.msix().getFirst();
    container(lab.options(), f);
    Device d = device(f);
    List<EventCounter> t = counters(4);
    assertEquals(4, d.enable(IrqType.MSIX, 1, t));
    start(d, t);
    for (int i = firstSeen(); i < 4; i++) {
      lab.raise(d, i);
      long[] one = new long[4];
      one[i] = 1;
      expect(t, one);
    }
    d.disable();
    lab.raise(d, 0);
    expect(t, 0, 0, 0, 0);
    d.disable();
  }

  @Test
  void msiSignalsToo() {
    container(lab.options(), lab.msi());
    Device d = device(lab.msi());
    List<EventCounter> t = counters(3);
    assertEquals(3, d.enable(IrqType.MSI, 3, t));
    start(d, t);
    lab.raise(d, 0);
    lab.raise(d, 2);
    expect(t, 1, 0, 1);
    assertThrows(VectorsFixed.class, () -> d.remove(1));
    assertThrows(VectorsFixed.class, () -> d.add(3, new EventCounter()));
    d.add(1, t.get(0));
    lab.raise(d, 1);
    expect(t, 1, 0, 0);
  }

  @Test
  void aMaskedVectorFiresOnceItIsLetThrough() {
    Sbdf f = lab.msix().getFirst();
    container(lab.options(), f);
    Device d = device(f);
    List<EventCounter> t = counters(2);
    d.enable(IrqType.MSIX, 2, t);
    start(d, t);
    d.mask(1, true);
    lab.raise(d, 1);
    expect(t, 0, 0);
    d.mask(1, false);
    expect(t, 0, 1);
    assertThrows(IllegalArgumentException.class, () -> d.mask(2, true));
  }

  @Test
  void loopbackSignalsWithoutTheFunction() {
    Sbdf f = lab.msix().getFirst();
    container(lab.options(), f);
    Device d = device(f);
    List<EventCounter> t = counters(2);
    d.enable(IrqType.MSIX, 2, t);
    d.loopback(1);
    expect(t, 0, 1);
    assertThrows(IllegalArgumentException.class, () -> d.loopback(2));
  }

  @Test
  void vectorsComeAndGoOneByOneWhereTheyMay() {
    Sbdf f = lab.msix().getFirst();
    container(lab.options(), f);
    Device d = device(f);
    List<EventCounter> t = counters(4);
    d.enable(IrqType.MSIX, 2, t.subList(0, 2));
    start(d, t);
    boolean resizable =
        d.irqs().stream()
            .filter(i -> i.type() == IrqType.MSIX)
            .findFirst()
            .orElseThrow()
            .resizable();
    if (!resizable) {
      assertThrows(VectorsFixed.class, () -> d.add(3, t.get(3)));
      assertThrows(VectorsFixed.class, () -> d.remove(0));
      return;
    }
    d.add(3, t.get(3));
    lab.raise(d, 3);
    lab.raise(d, 0);
    expect(t, lab.seesFirstAgain() ? 1 : 0, 0, 0, 1);
    d.remove(0);
    lab.raise(d, 0);
    lab.raise(d, 1);
    expect(t, 0, 1, 0, 0);
    d.add(0, t.get(2));
    lab.raise(d, 0);
    lab.vfio().deliver();
    assertTrue(
        t.get(2).take() >= (lab.seesFirstAgain() ? 1 : 0),
        "what the function kept pending may fire as well");
    expect(t, 0, 0, 0, 0);
  }

  @Test
  void aFunctionHasOneTypeOfVectorsAtATime() {
    Sbdf f = lab.msix().getFirst();
    container(lab.options(), f);
    Device d = device(f);
    assertThrows(NoSuchIrqs.class, () -> d.enable(IrqType.MSI, 1, counters(1)));
    d.enable(IrqType.MSIX, 1, counters(1));
    assertThrows(InUse.class, () -> d.enable(IrqType.MSIX, 1, counters(1)));
    d.disable();
    d.enable(IrqType.MSIX, 1, counters(2));
  }

  @Test
  void vectorsWithoutTriggersAndUsesOfAClosedDeviceAreRefused() {
    Sbdf f = lab.msix().getFirst();
    container(lab.options(), f);
    Device d = device(f);
    for (IrqType type : IrqType.values()) {
      assertThrows(IllegalArgumentException.class, () -> d.enable(type, 0, counters(1)));
      assertThrows(IllegalArgumentException.class, () -> d.enable(type, 2, counters(1)));
    }
    assertThrows(IllegalArgumentException.class, () -> d.mask(0, true), "nothing is enabled");
    assertEquals(2, d.enable(IrqType.MSIX, 2, counters(2)));
    d.close();
    assertEquals(Optional.empty(), d.trigger(0));
    assertThrows(IllegalStateException.class, () -> d.enable(IrqType.MSIX, 1, counters(1)));
    assertThrows(IllegalStateException.class, () -> d.add(0, new EventCounter()));
    d.disable();
    d.close();
  }

  @Test
  void vectorsSurviveAReset() {
    Sbdf f = lab.msix().getFirst();
    container(lab.options(), f);
    Device d = device(f);
    List<EventCounter> t = counters(2);
    d.enable(IrqType.MSIX, 2, t);
    start(d, t);
    d.reset();
    d.busMaster(true);
    start(d, t);
    lab.raise(d, 1);
    expect(t, 0, 1);
  }

  @Test
  void aGroupIsInOneContainerAndItsDevicesAreOpenedOnce() {
    Sbdf f = lab.msix().getFirst();
    Group g = lab.vfio().group(f);
    assertThrows(NotAttached.class, () -> g.open(f));
    Container c = container(lab.options(), f);
    assertEquals(Optional.of(c), g.container());
    Container other = container(lab.options());
    assertThrows(InUse.class, () -> other.attach(g));
    assertThrows(NotAttached.class, () -> other.detach(g));
    assertThrows(NoSuchFunction.class, () -> g.open(lab.msix().get(1)));
    Device d = g.open(f);
    assertThrows(InUse.class, () -> g.open(f));
    assertThrows(InUse.class, () -> c.detach(g));
    assertThrows(InUse.class, c::close);
    d.close();
    c.detach(g);
    assertEquals(Optional.empty(), g.container());
    other.attach(g);
  }

  @Test
  void whatTheHostUsesIsNotGivenAway() {
    Sbdf f = lab.usedByHost();
    Container c = container(lab.options());
    Group g = lab.vfio().group(f);
    assertFalse(g.viability().isViable());
    NotViable e = assertThrows(NotViable.class, () -> c.attach(g));
    assertTrue(e.refusal().objects().contains(f.toString()));
    assertEquals(List.of(), c.groups());
  }

  @Test
  void r21_interruptsThatAreNotIsolatedMustBeAllowed() {
    if (lab.notIsolated().isEmpty()) {
      List<Group> all = lab.msix().stream().map(f -> lab.vfio().group(f)).toList();
      assertTrue(all.stream().allMatch(Group::isolatedMsi));
      Container c = container(ContainerOptions.USUAL, lab.msix().toArray(Sbdf[]::new));
      assertEquals(all, c.groups());
      return;
    }
    Sbdf f = lab.notIsolated().get();
    Group g = lab.vfio().group(f);
    assertFalse(g.isolatedMsi());
    Container c = container(ContainerOptions.USUAL);
    assertThrows(NotIsolated.class, () -> c.attach(g));
    assertEquals(Optional.empty(), g.container());
    container(ContainerOptions.USUAL.withUnsafeInterrupts(), f);
    Device d = device(f);
    List<EventCounter> t = counters(2);
    d.enable(IrqType.MSIX, 2, t);
    start(d, t);
    lab.raise(d, 1);
    expect(t, 0, 1);
  }

  @Test
  void r03_theContainerTellsTheWindowItNeedsBeforeMemoryIsMapped() {
    Container c = container(lab.options(), lab.msix().getFirst());
    MsiWindowNeed need = c.msiWindowNeed();
    if (lab.windowAnswer() != VfioLab.WindowAnswer.FIXED) {
      assertEquals(
          lab.translatesMessages(),
          need.pages() >= 1,
          "a function whose messages are translated has a doorbell, and no other");
    }
    long apart = 1L << need.alignmentOrder();
    assertTrue(need.alignmentOrder() >= c.granule().shift());
    assertEquals(
        need.pages() == 0 ? 0 : (need.pages() - 1) * apart + c.granule().bytes(), need.bytes());
    assertTrue(need.doorbells().size() >= need.pages());
    assertTrue(c.msiWindowBound().pages() >= need.pages());
  }

  @Test
  void r03_aWindowOfWhatTheContainerTellsIsEnoughAndOneByteLessIsNot() {
    Sbdf f = lab.msix().getFirst();
    Container c = container(lab.options().withoutAutomaticWindow(), f);
    if (isFixed(c)) {
      return;
    }
    MsiWindowNeed need = c.msiWindowNeed();
    long bytes = need.bytes();
    Device d = device(f);
    if (isUnneeded(c, d)) {
      return;
    }
    // Where each processor has a doorbell of its own, so many vectors use them all.
    int vectors = Math.toIntExact(need.pages());
    c.reserveMsiWindow(AddressRange.ofSize(0xa000_0000L, bytes - 1));
    assertThrows(
        MsiWindowExhausted.class, () -> d.enable(IrqType.MSIX, vectors, counters(vectors)));
    c.removeMsiWindow();
    c.reserveMsiWindow(AddressRange.ofSize(0xa000_0000L, bytes));
    assertEquals(vectors, d.enable(IrqType.MSIX, vectors, counters(vectors)));
  }

  @Test
  void r04_theWindowIsComputedFromTheDoorbellsUnlessItsUserOrTheKernelHasSaidIt() {
    Container c = container(lab.options(), lab.msix().getFirst());
    Optional<AddressRange> found = c.msiWindow();
    if (isFixed(c) || !lab.translatesMessages()) {
      assertEquals(found, c.msiWindow());
      assertEquals(lab.translatesMessages(), found.isPresent());
      return;
    }
    assertTrue(found.orElseThrow().bytes() >= c.msiWindowBound().bytes(), found::toString);
    c.removeMsiWindow();
    c.reserveMsiWindow(WINDOW);
    assertEquals(Optional.of(WINDOW), c.msiWindow());
  }

  @Test
  void r01_aWindowIsRegisteredThroughTheContainer() {
    Sbdf f = lab.msix().getFirst();
    Container c = container(lab.options().withoutAutomaticWindow());
    if (isFixed(c)) {
      return;
    }
    c.reserveMsiWindow(WINDOW);
    assertThrows(MsiWindowAlreadySet.class, () -> c.reserveMsiWindow(WINDOW));
    c.attach(lab.vfio().group(f));
    assertEquals(Optional.of(WINDOW), c.msiWindow());
    assertThrows(MsiWindowAlreadySet.class, () -> c.reserveMsiWindow(WINDOW));
    Device d = device(f);
    List<EventCounter> t = counters(2);
    d.enable(IrqType.MSIX, 2, t);
    start(d, t);
    lab.raise(d, firstSeen());
    expect(t, 1 - firstSeen(), firstSeen());
  }

  @Test
  void r02_aWindowWithoutRoomFailsTheVectors() {
    Sbdf f = lab.msix().getFirst();
    Container c = container(lab.options().withoutAutomaticWindow(), f);
    if (isFixed(c)) {
      return;
    }
    Device d = device(f);
    if (isUnneeded(c, d)) {
      return;
    }
    assertThrows(MsiWindowExhausted.class, () -> d.enable(IrqType.MSIX, 1, counters(1)));
    c.reserveMsiWindow(AddressRange.ofSize(0xa000_0000L, 0x10));
    MsiWindowExhausted e =
        assertThrows(MsiWindowExhausted.class, () -> d.enable(IrqType.MSIX, 1, counters(1)));
    assertEquals(c.granule().bytes(), e.refusal().needed().orElseThrow().value());
    assertEquals(0, e.refusal().available().orElseThrow().value());
    c.removeMsiWindow();
    c.reserveMsiWindow(WINDOW);
    assertEquals(1, d.enable(IrqType.MSIX, 1, counters(1)));
  }

  @Test
  void busMasteringIsTheUsersToTurnOnAndEndsWithTheDevice() {
    Sbdf f = lab.msix().getFirst();
    container(lab.options(), f);
    Device d = lab.vfio().group(f).open(f);
    assertFalse(lab.isBusMaster(f));
    d.config().write((int) ConfigHeaderLayout.COMMAND.offset(), 6, 2);
    assertTrue(lab.isBusMaster(f));
    d.busMaster(false);
    assertFalse(lab.isBusMaster(f));
    d.busMaster(true);
    assertTrue(lab.isBusMaster(f));
    d.close();
    assertFalse(lab.isBusMaster(f));
  }
}
