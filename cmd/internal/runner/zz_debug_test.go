package runner

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"golang.org/x/sys/unix"
)

func TestZZ(t *testing.T) {
	own := newTag()
	hunt := newTagHunt(own)
	v := own.env()[0]
	for i := 0; i < 3000; i++ {
		cmd := exec.Command("/bin/sleep", "1000")
		cmd.Env = []string{"PAD=" + strings.Repeat("x", 32724), v}
		if err := cmd.Start(); err != nil { t.Fatal(err) }
		pid := strconv.Itoa(cmd.Process.Pid)
		var reads []int
		var e error
		for {
			reads = nil
			fd, err := unix.Open("/proc/"+pid+"/environ", unix.O_RDONLY, 0)
			e = err
			total := 0
			for err == nil {
				var n int
				n, err = unix.Read(fd, hunt.buf)
				e = err
				reads = append(reads, n)
				if n <= 0 { break }
				total += n
			}
			unix.Close(fd)
			st, _ := os.ReadFile("/proc/" + pid + "/stat")
			ex := inExecve(pid)
			if total == 32724+5+len(v)+1 { break }
			if !(len(reads) == 1 && reads[0] == 0 && ex) {
				t.Errorf("%d: reads %v err %v, %s %v", i, reads, e, st, ex)
				break
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
}
