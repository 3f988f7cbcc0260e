package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "PCI Express Base 6.0 7.7.1: MSI of several messages, of a device of QEMU's that adds the vector's number to the data")
class MultiMessageTest {
  @ParameterizedTest(name = "{0}, {1} of 16 vectors")
  @CsvSource({"GICV3,1", "GICV3,3", "GICV3,4", "GICV3,16", "GICV2M,3", "GICV2M,16"})
  @DisplayName(
      "R18: a power of two is taken, its data follow one another from a multiple of it, and each vector arrives as its own")
  void contiguous(Board board, int wanted) {
    try (Lab lab =
        Lab.open(board, Devices.of("edu,addr=1", "nec-usb-xhci,msi=on,msix=off,addr=2"))) {
      Host host = lab.fresh();
      Sbdf sbdf = lab.find(XhciLayout.VENDOR, XhciLayout.DEVICE, 0);
      // Another function's vector first, so that the run has to look for its place.
      Assignment.Request one =
          new Assignment.Request(Granule.K4, Optional.of(Lab.WINDOW), 1, 1, true);
      Assignment.Request several =
          new Assignment.Request(Granule.K4, Optional.of(Lab.WINDOW), wanted, wanted, true);
      try (Assignment edu = Assignment.of(host, List.of(lab.edu(0)), one);
          Assignment a = Assignment.of(host, List.of(sbdf), several)) {
        HostFunction f = a.functions().getFirst();
        MsiCapability msi = f.pci().msi().thing().orElseThrow();
        assertEquals(16, msi.size());
        assertEquals(MessageTable.Kind.MSI, f.vectors().orElseThrow().kind());
        int taken = Integer.highestOneBit(2 * wanted - 1);
        assertEquals(taken, msi.granted());
        List<LiveVector> vectors = a.vectors(f);
        assertEquals(wanted, vectors.size());
        int first = vectors.getFirst().message().data();
        assertEquals(0, first % taken, "data 0x%x of %d messages".formatted(first, taken));
        for (LiveVector v : vectors) {
          assertEquals(first + v.index(), v.message().data());
          assertEquals(vectors.getFirst().intid() + v.index(), v.intid());
          assertEquals(vectors.getFirst().message().address(), v.message().address());
          Assignment.Fired fired = a.fire(f, v);
          assertTrue(fired.delivered(), fired::toString);
        }
        theOthersStaySilent(host, lab, a, sbdf, taken, vectors);
        ItsScenariosTest.everyVectorArrives(edu, edu.functions().getFirst());
      }
    }
  }

  /// Messages that the function may send, since a power of two was taken, and that nobody asked for.
  private static void theOthersStaySilent(
      Host host, Lab lab, Assignment a, Sbdf sbdf, int taken, List<LiveVector> vectors) {
    lab.machine.stimulateBy(
        sbdf,
        XhciStimulus.open(
            sbdf.toString(),
            lab.machine.bar(sbdf, 0),
            lab.give(a.domain(), 0x2_0000_0000L, 0x2000),
            taken));
    List<Integer> arrived = new ArrayList<>();
    List<Integer> all =
        IntStream.range(0, taken).map(i -> vectors.getFirst().intid() + i).boxed().toList();
    var dispatch = Lab.dispatch(host, vectors.getFirst());
    all.forEach(intid -> dispatch.add(intid, (i, cpu) -> arrived.add(i)));
    for (int v = 0; v < taken; v++) {
      var unused = lab.machine.fire(sbdf, v);
    }
    host.poll();
    all.forEach(dispatch::remove);
    arrived.sort(null);
    assertEquals(vectors.stream().map(LiveVector::intid).toList(), arrived);
  }
}
