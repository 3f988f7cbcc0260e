package dev.doorbell.linux;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

/// The system calls of another, of which one is made to fail. Calls that give things back never fail.
public final class FailingCalls {
  private static final List<String> GIVES_BACK = List.of("close", "munmap");

  private final SystemCalls to;
  private final List<String> made = new ArrayList<>();
  private int failing = -1;
  private int failingRequest;
  private String failingPath = "";
  private Errno errno = Errno.EIO;
  private boolean shortened;
  private String watchedPath = "";
  private Runnable watching = () -> {};

  public FailingCalls(SystemCalls to) {
    this.to = to;
  }

  /// Lets a call fail, counted from now.
  ///
  /// @param index 0 for the next one; -1 for none
  public void fail(int index, Errno with) {
    made.clear();
    failing = index;
    failingRequest = 0;
    failingPath = "";
    errno = with;
  }

  /// Lets every request of one kind fail, until {@link #fail}.
  public void failIoctl(Ioctl request, Errno with) {
    fail(-1, with);
    failingRequest = request.number();
  }

  /// Lets every opening of a file fail, until {@link #fail}.
  public void failOpen(String path, Errno with) {
    fail(-1, with);
    failingPath = path;
  }

  /// Lets something happen each time a file was opened.
  public void atOpen(String path, Runnable happens) {
    watchedPath = path;
    watching = happens;
  }

  /// From now on every access at an offset is said to have missed its last byte.
  public void shorten(boolean on) {
    shortened = on;
  }

  /// {@return calls of which every `close` answers an errno, having closed}
  public static SystemCalls closing(SystemCalls to, Errno answer) {
    return (SystemCalls)
        Proxy.newProxyInstance(
            SystemCalls.class.getClassLoader(),
            new Class<?>[] {SystemCalls.class},
            (proxy, method, arguments) -> {
              Object done = method.invoke(to, arguments);
              return method.getName().equals("close") ? (Object) (-answer.number()) : done;
            });
  }

  /// {@return names of the calls since {@link #fail}}
  public List<String> made() {
    return made;
  }

  public SystemCalls calls() {
    return (SystemCalls)
        Proxy.newProxyInstance(
            SystemCalls.class.getClassLoader(),
            new Class<?>[] {SystemCalls.class},
            (proxy, method, arguments) -> {
              if (method.getDeclaringClass() == Object.class) {
                return method.getName().equals("hashCode") ? (Object) 1 : "failing calls";
              }
              if (!GIVES_BACK.contains(method.getName())) {
                made.add(method.getName());
                boolean asked =
                    failingRequest != 0
                            && method.getName().equals("ioctl")
                            && arguments[1].equals(failingRequest)
                        || method.getName().equals("open") && arguments[0].equals(failingPath);
                if (asked || made.size() - 1 == failing) {
                  return method.getReturnType() == int.class
                      ? (Object) (-errno.number())
                      : (Object) (long) -errno.number();
                }
              }
              try {
                Object answer = method.invoke(to, arguments);
                if (method.getName().equals("open") && arguments[0].equals(watchedPath)) {
                  watching.run();
                }
                boolean atOffset = method.getName().matches("read|write") && arguments.length == 3;
                return shortened && atOffset ? (Object) ((long) answer - 1) : answer;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
