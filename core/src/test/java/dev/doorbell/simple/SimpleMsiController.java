package dev.doorbell.simple;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// An MSI controller with a number of vectors. An isolated one looks a message up by device and datum, as an ITS does; another one
/// raises whatever the datum says, as a GICv2m frame does.
public final class SimpleMsiController implements MsiController {
  private static final long PAGE = 0x1000;

  private record Arrival(int intid, int cpu) {}

  private final class Vector {
    final int intid;
    final int device;
    final int data;
    boolean active;
    boolean masked;
    boolean pending;
    int cpu;
    // Where it rang before a move that is not finished; -1 for nowhere.
    int former = -1;

    Vector(int intid, int device, int data) {
      this.intid = intid;
      this.device = device;
      this.data = data;
    }

    String state() {
      return "dev %d data %d active %s masked %s cpu %d"
          .formatted(device, data, active, masked, active ? cpu : -1);
    }
  }

  private final String id;
  private final long doorbell;
  private final int first;
  private final int count;
  private final boolean isolated;
  private final int pages;
  private final HardwareWrites hw;
  private final TreeMap<Integer, Vector> byIntid = new TreeMap<>();
  private final List<Arrival> arrivals = new ArrayList<>();
  private boolean namesCpu;
  private boolean inSteps;

  /// @param first the first interrupt number
  public SimpleMsiController(
      String id, long doorbell, int first, int count, boolean isolated, HardwareWrites hw) {
    this(id, doorbell, first, count, isolated, 1, hw);
  }

  /// {@return one with a doorbell for each CPU, a page each, as interrupt files have them}
  public static SimpleMsiController perCpu(
      String id, long doorbell, int first, int count, int cpus, HardwareWrites hw) {
    return new SimpleMsiController(id, doorbell, first, count, false, cpus, hw);
  }

  private SimpleMsiController(
      String id,
      long doorbell,
      int first,
      int count,
      boolean isolated,
      int pages,
      HardwareWrites hw) {
    this.pages = pages;
    this.id = id;
    this.doorbell = doorbell;
    this.first = first;
    this.count = count;
    this.isolated = isolated;
    this.hw = hw;
  }

  public DoorbellFrame frame() {
    return new DoorbellFrame(
        id,
        new Pa(doorbell),
        AddressRange.ofSize(doorbell - 0x40, isolated ? 0x1_0000 : 0x1000),
        Source.rule("simple"));
  }

  /// {@return one frame, or that of each CPU}
  public List<DoorbellFrame> frames() {
    return pages == 1
        ? List.of(frame())
        : IntStream.range(0, pages)
            .mapToObj(cpu -> ringsAt(cpu))
            .map(at ->
                new DoorbellFrame(
                    id, new Pa(at), AddressRange.ofSize(at & -PAGE, PAGE), Source.rule("simple")))
            .toList();
  }

  private long ringsAt(int cpu) {
    return pages == 1 ? doorbell : doorbell + cpu * PAGE;
  }

  /// From now on messages name the CPU, in the datum's upper half, so that a vector that moves gets another one.
  public synchronized void nameCpu() {
    namesCpu = true;
  }

  /// From now on a change of an active vector takes several steps, in the middle of which messages are lost.
  public synchronized void changeInSteps() {
    inSteps = true;
  }

  private int datum(Vector v, int cpu) {
    return namesCpu ? v.data | cpu << Short.SIZE : v.data;
  }

  private boolean hasDatum(Vector v, int data) {
    return datum(v, v.cpu) == data || v.former >= 0 && datum(v, v.former) == data;
  }

  /// A message arrives.
  ///
  /// {@return whether it raised a vector}
  public synchronized boolean message(long pa, int data, int device) {
    for (Vector v : byIntid.values()) {
      if (pa != ringsAt(v.cpu) && (v.former < 0 || pa != ringsAt(v.former))) {
        continue;
      }
      boolean hit = isolated ? v.device == device && hasDatum(v, data) : v.intid == data;
      if (hit && v.active) {
        if (v.masked) {
          v.pending = true;
        } else {
          arrivals.add(new Arrival(v.intid, v.cpu));
        }
        return true;
      }
    }
    return false;
  }

  /// {@return vectors and how they are programmed}
  public synchronized TreeMap<Integer, String> state() {
    TreeMap<Integer, String> out = new TreeMap<>();
    byIntid.forEach((k, v) -> out.put(k, v.state()));
    return out;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public boolean isolated() {
    return isolated;
  }

  @Override
  public synchronized int vectorsFree() {
    return count - byIntid.size();
  }

  @Override
  public synchronized VectorBlock allocate(MsiSource source, int n, boolean contiguous) {
    int at = first;
    List<Integer> free = new ArrayList<>();
    for (; at < first + count && free.size() < n; at++) {
      if (contiguous && (at % n) == 0 && runFree(at, n)) {
        for (int i = 0; i < n; i++) {
          free.add(at + i);
        }
      } else if (!contiguous && !byIntid.containsKey(at)) {
        free.add(at);
      }
    }
    if (free.size() < n) {
      throw new VectorsExhausted(source, id, n, vectorsFree(), Source.rule("simple"));
    }
    hw.write(id + " take " + n);
    List<Vector> taken = new ArrayList<>();
    int event = nextEvent(source.deviceId(), contiguous ? n : 1);
    for (int i = 0; i < n; i++) {
      int intid = free.get(i);
      Vector v = new Vector(intid, source.deviceId(), isolated ? event + i : intid);
      byIntid.put(intid, v);
      taken.add(v);
    }
    return new Block(taken);
  }

  private boolean runFree(int at, int n) {
    return at + n <= first + count && byIntid.subMap(at, at + n).isEmpty();
  }

  private int nextEvent(int device, int align) {
    int next =
        byIntid.values().stream()
            .filter(v -> v.device == device)
            .mapToInt(v -> v.data + 1)
            .max()
            .orElse(0);
    return Math.ceilDiv(next, align) * align;
  }

  @Override
  public int collect(InterruptSink sink) {
    List<Arrival> now;
    synchronized (this) {
      now = List.copyOf(arrivals);
      arrivals.clear();
    }
    now.forEach(a -> sink.arrived(a.intid(), a.cpu()));
    return now.size();
  }

  private final class Block implements VectorBlock {
    private final List<Vector> vectors;

    Block(List<Vector> vectors) {
      this.vectors = vectors;
    }

    private Vector at(int index, String what) {
      hw.write(id + " " + what + " " + vectors.get(index).intid);
      return vectors.get(index);
    }

    @Override
    public MsiController controller() {
      return SimpleMsiController.this;
    }

    @Override
    public int count() {
      return vectors.size();
    }

    @Override
    public long doorbell(int index) {
      return ringsAt(vectors.get(index).cpu);
    }

    @Override
    public int data(int index) {
      return datum(vectors.get(index), vectors.get(index).cpu);
    }

    @Override
    public int intid(int index) {
      return vectors.get(index).intid;
    }

    @Override
    public int cpu(int index) {
      return vectors.get(index).cpu;
    }

    @Override
    public boolean changesAtOnce() {
      return !inSteps;
    }

    @Override
    public void post(int index, PostedInterrupt to) {
      at(index, "post");
    }

    @Override
    public void endPost(int index) {
      at(index, "end post");
    }

    @Override
    public void activate(int index, int cpu) {
      synchronized (SimpleMsiController.this) {
        Vector v = at(index, "activate");
        v.active = true;
        v.cpu = cpu;
      }
    }

    @Override
    public void deactivate(int index) {
      synchronized (SimpleMsiController.this) {
        Vector v = at(index, "deactivate");
        v.active = false;
        v.pending = false;
      }
    }

    @Override
    public void retarget(int index, int cpu) {
      synchronized (SimpleMsiController.this) {
        if (cpu > 7) {
          throw new IllegalArgumentException("no CPU " + cpu);
        }
        Vector v = at(index, "retarget");
        if (inSteps) {
          v.active = false;
          at(index, "finish steps").active = true;
        }
        v.former = pages > 1 || namesCpu ? v.cpu : -1;
        v.cpu = cpu;
      }
    }

    @Override
    public void finishMove(int index) {
      synchronized (SimpleMsiController.this) {
        if (vectors.get(index).former >= 0) {
          at(index, "finish move").former = -1;
        }
      }
    }

    @Override
    public void mask(int index) {
      synchronized (SimpleMsiController.this) {
        at(index, "mask").masked = true;
      }
    }

    @Override
    public void unmask(int index) {
      synchronized (SimpleMsiController.this) {
        Vector v = at(index, "unmask");
        v.masked = false;
        if (v.pending) {
          v.pending = false;
          arrivals.add(new Arrival(v.intid, v.cpu));
        }
      }
    }

    @Override
    public void free() {
      synchronized (SimpleMsiController.this) {
        hw.write(id + " free " + vectors.size());
        vectors.forEach(v -> byIntid.remove(v.intid));
      }
    }
  }
}
