package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// What a program on {@link Vfio} does again and again, on a lab that is opened for each case.
abstract class ContractFixture {
  VfioLab lab;
  final List<AutoCloseable> open = new ArrayList<>();

  abstract VfioLab open();

  @BeforeEach
  void openLab() {
    lab = open();
    open.add(lab);
  }

  @AfterEach
  void closeLab() throws Exception {
    for (AutoCloseable c : open.reversed()) {
      c.close();
    }
  }

  /// A buffer is given back once the containers that map it are, and before the lab looks at what is left.
  void afterContainers(DmaBuffer b) {
    open.add(1, b);
  }

  Container container(ContainerOptions options, Sbdf... functions) {
    Container c = lab.vfio().open(options);
    open.add(c);
    for (Sbdf f : functions) {
      c.attach(lab.vfio().group(f));
    }
    return c;
  }

  Device device(Sbdf function) {
    Device d = lab.vfio().group(function).open(function);
    open.add(d);
    d.busMaster(true);
    return d;
  }

  /// Gets a function to work; what it signals meanwhile does not count.
  void start(Device d, List<EventCounter> counters) {
    lab.start(d);
    lab.vfio().deliver();
    counters.forEach(EventCounter::take);
  }

  static List<EventCounter> counters(int n) {
    List<EventCounter> out = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      out.add(new EventCounter());
    }
    return out;
  }

  void expect(List<EventCounter> counters, long... counts) {
    lab.vfio().deliver();
    for (int i = 0; i < counts.length; i++) {
      assertEquals(counts[i], counters.get(i).take(), "vector " + i);
    }
  }

  /// {@return the lowest vector that can be seen after a function was set to work}
  final int firstSeen() {
    return lab.seesFirstAgain() ? 0 : 1;
  }

  /// {@return whether messages meet no translation, so that vectors need no window; then they are had without one}
  final boolean isUnneeded(Container c, Device d) {
    if (lab.translatesMessages()) {
      return false;
    }
    assertEquals(0, c.msiWindowNeed().pages());
    assertEquals(Optional.empty(), c.msiWindow());
    List<EventCounter> t = counters(2);
    assertEquals(2, d.enable(IrqType.MSIX, 2, t));
    start(d, t);
    lab.raise(d, 1);
    expect(t, 0, 1);
    return true;
  }
}
