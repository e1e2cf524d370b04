"""scratch: step the rule itself."""
import sys, time, importlib.util, pathlib
import numpy as np
from twin.ems.storage import Storage, act
from twin.ems.view import View, PLAN_H
from twin.ems.policies import POLICIES, Default
from twin.kernel import kernel
INF=np.inf

@kernel
def run_slots(t0,t1,step,per,load,pv,price,chlim,floor,s,up,down,cap,call,peak,storage,keep,G,S,C,D,X):
    for t in range(t0,t1):
        k=(t-t0)//per
        n=load[t]-pv[t]
        s*=keep
        c=min(max(cap[k],peak),call[k])
        # target within the planning slot
        ch,dis=act(n,s,up[k],down[k],c,floor[t],step,storage)
        s+=ch*storage.charge_efficiency*step-dis/storage.discharge_efficiency*step
        g=n+ch-dis
        G[t]=max(g,0);X[t]=max(-g,0);S[t]=s;C[t]=ch;D[t]=dis
        if G[t]>peak: peak=G[t]
    return s,peak

def simulate(c, policy, every=24):
    dt=c["step_h"]; per=max(1,round(1/dt)); slot_h=dt*per
    n=len(c["load_kw"]); B=c["batt_kwh"]
    load=np.asarray(c["load_kw"],float); pv=np.asarray(c["pv_kw"],float); price=np.asarray(c["price"],float); month=np.asarray(c["month"])
    floor=np.full(n,c["soc_min"]*B)
    if "soc_floor_kwh" in c: floor=np.maximum(floor,c["soc_floor_kwh"])
    keep=1-c["self_dis_per_h"]*dt
    st=Storage(c["soc_max"]*B,float(c["ch_kw"]),float(c["dis_kw"]),float(c["eta_ch"]),float(c["eta_dis"]),1-c["self_dis_per_h"]*slot_h,float(c["deg_cost"]),slot_h,float(bool(c["allow_grid_charge"])))
    chlim=np.full(n,1e18) if c["allow_grid_charge"] else pv
    mode=c["demand_mode"]; dp={"actual":c["demand_charge"],"contract":2*c["demand_charge"],"capacity":0.0}[mode]
    pk0=0.0
    if mode=="contract":
        C=c["contract_kw"]
        if C<0: C=0.4*c["transformer_kva"]; dp=c["demand_charge"]
        pk0=1.05*C
    hour=lambda a: a.reshape(-1,per).mean(1)
    net_h=hour(load-pv); price_h=hour(price); floor_h=floor.reshape(-1,per).max(1); m_h=month.reshape(-1,per)[:,0]
    H=len(net_h); day=round(24/slot_h); T=round(PLAN_H/slot_h)
    G,S,Ch,D,X=(np.zeros(n) for _ in range(5))
    s=c["soc_init"]*B; peak=pk0
    cpu=0.0
    for h in range(0,H,every):
        if h>0 and m_h[h]!=m_h[h-1]: peak=pk0
        left=int(np.searchsorted(m_h,m_h[h],side="right"))-h if np.all(np.diff(m_h)>=0) else 24
        fut=price_h[h:h+max(left,T)]
        if len(fut)<max(left,T): fut=np.r_[fut,np.resize(price_h[-day:],max(left,T)-len(fut))]
        fl=floor_h[h:h+T]; fl=np.r_[fl,np.full(T-len(fl),floor_h[-1])]
        hist=net_h[:h] if h else net_h[:1]
        v=View(hist,fut,fl,np.full(T,INF),np.full(T,np.nan),st,s,peak,dp,c["grid_limit_kw"],left,np.nan if h%24==0 else p.cap_kw)
        a=time.process_time(); p=policy.plan(v); cpu+=time.process_time()-a
        e=min(h+every,H)
        s,peak=run_slots(h*per,e*per,dt,per,load,pv,price,chlim,floor,s,p.up_kwh,p.down_kwh,p.import_cap_kw,v.call_kw,peak,st,keep,G,S,Ch,D,X)
    return dict(grid_kw=G,soc_kwh=S,dis_kw=D,x_kw=X,ch_kw=Ch),cpu
spec=importlib.util.spec_from_file_location("lp","/work/shared/tools/lp_bound.py"); lp=importlib.util.module_from_spec(spec); spec.loader.exec_module(lp)
if __name__=="__main__":
    for name in sys.argv[1:]:
        c=lp.preset(name,1.0)
        for pol in ("naive","capped","default"):
            tr,cpu=simulate(c,POLICIES[pol]())
            tr,cpu=simulate(c,POLICIES[pol]())
            r=lp.score(c,tr)
            print(name,pol,round(r["pct_of_lp_saving"],2),"E",round(r["energy_part"]),round(r["lp_energy_part"]),"D",round(r["demand_part"]),round(r["lp_demand_part"]),"cpu",round(cpu,2),flush=True)
